/** A `test` block with every form of its grammar, about the project of `world.cases`. */
export const TEST_BLOCK = `test "every form" {
    given tenant "acme" with tier "gold" and regions ["eu", "us"], consumer "web-shop", credential "web-1" aged 121 days
    given roles "buyer", "admin", "pace" in "p" used 1_000, "p" enforced, time 2026-12-05 10:00 in Europe/Berlin
    given model "gpt-4o" replies in chunks "a", "b" with 10 input tokens and 5 cached tokens, model "gpt-4o-mini" replies "c"
    given request with header "x-a" is "1" and ip "10.0.0.1" and host "api.example" and size 2MiB and body.order.lines 3
    when 61 requests GET /v1/orders?page=2 are sent within 10s by consumer "crawler" with header "x-b" is "2"
    expect first 60 permitted warned by "p" shadowed by "p" "pace"
        with timeout 10s and header "x-tier" is "gold" in request and no header "x-powered-by" in response
    expect the last refused 429 by "p" "pace" code "slow_down" because contains "60" with retry after <= 60s
    when 2 requests GET /v1/orders are sent at once after 10s
    expect all refused
    when GET /v1/orders is sent with status 503
    expect permitted alerted by "p" "errors"
    when POST /v1/chat/completions is sent with model "gpt-4o"
    expect permitted with model "gpt-4o" and body.messages[1].content "d"
    expect reply "ab"
    expect reply contains "b" and no call upstream
}`;
