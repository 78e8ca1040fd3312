import type { DiagnosticCode } from '../diagnostics/catalogue.ts';
import type { ProjectTexts } from './config.cases.ts';

/** A wrong project and the exact text that explains it. Each code of the configuration has at least one. */
export interface DiagnosticCase {
  readonly code: DiagnosticCode;
  readonly name: string;
  readonly texts: ProjectTexts;
  readonly rendered: string;
}

export const DIAGNOSTIC_CASES: readonly DiagnosticCase[] = [
  {
    code: 'PT3001',
    name: 'two mistakes in one file',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services:
  s: { endpoints: [ }
routes:
  r: a: b
`,
    },
    rendered: `error[PT3001]: Flow sequence in block collection must be sufficiently indented and end with a ].
  --> routes/a.yaml:2:21
   |
 2 |   s: { endpoints: [ }
   |                     ^
   = help: Indent the entries of a map or list by the same number of blanks, and close every bracket.

error[PT3001]: Nested mappings are not allowed in compact mappings.
  --> routes/a.yaml:4:6
   |
 4 |   r: a: b
   |      ^
   = help: Put the value in quotes if it holds ": ", or begin nested entries on a line of their own.

2 errors.
`,
  },
  {
    code: 'PT3001',
    name: 'a backslash in double quotes',
    texts: {
      'portunus.yaml': `portunus: 1
data: "C:\\data"
`,
    },
    rendered: `error[PT3001]: Invalid escape sequence \\d.
  --> portunus.yaml:2:10
   |
 2 | data: "C:\\data"
   |          ^
   = help: Write a backslash as \\\\, or put the text in single quotes, where a backslash means itself.

1 error.
`,
  },
  {
    code: 'PT3002',
    name: 'a route written twice',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
routes:
  list: { service: s, match: { path: /a } }
  list: { service: s, match: { path: /b } }
`,
    },
    rendered: `error[PT3002]: "list" is written twice in one map.
  --> routes/a.yaml:4:3
   |
 4 |   list: { service: s, match: { path: /b } }
   |   ^^^^
note: first written here
  --> routes/a.yaml:3:3
   |
 3 |   list: { service: s, match: { path: /a } }
   |   ----
   = help: Keep one of them: YAML does not say which one would count.

1 error.
`,
  },
  {
    code: 'PT3003',
    name: 'a byte order mark',
    texts: {
      'portunus.yaml': '\ufeffportunus: 1\n',
    },
    rendered: `error[PT3003]: The file holds a byte order mark (U+FEFF).
  --> portunus.yaml:1:1
   |
 1 | �portunus: 1
   | ^
   = help: Save it as UTF-8 without a byte order mark.

1 error.
`,
  },
  {
    code: 'PT3003',
    name: 'bytes that are not UTF-8',
    texts: {
      'portunus.yaml': 'portunus: 1\ndata: ./caf\ufffd\n',
    },
    rendered: `error[PT3003]: The file is not valid UTF-8 here, or holds the character U+FFFD.
  --> portunus.yaml:2:12
   |
 2 | data: ./caf�
   |            ^
   = help: Save it as UTF-8.

1 error.
`,
  },
  {
    code: 'PT3003',
    name: 'NUL',
    texts: {
      'portunus.yaml': 'portunus: 1\ndata: ./a\u0000b\n',
    },
    rendered: `error[PT3003]: The file holds the character U+0000, which YAML does not allow.
  --> portunus.yaml:2:10
   |
 2 | data: ./a�b
   |          ^
   = help: Remove it, or write it as an escape in a quoted text: "\\u0000".

1 error.
`,
  },
  {
    code: 'PT3004',
    name: 'a file beyond the limit',
    texts: {
      'portunus.yaml': `portunus: 1
limits: { configurationFileBytes: 1KiB }
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
############################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################################
`,
    },
    rendered: `error[PT3004]: routes/a.yaml has 1155 bytes; a file may have 1024.
   = help: Split it into several files, or raise limits.configurationFileBytes.

1 error.
`,
  },
  {
    code: 'PT3004',
    name: 'more findings than are shown',
    texts: {
      'portunus.yaml': `portunus: 1
limits: { diagnosticsPerFile: 1 }
`,
      'routes/a.yaml': `a: 1
b: 1
c: 1
`,
    },
    rendered: `error[PT3101]: This file has no field "a".
  --> routes/a.yaml:1:1
   |
 1 | a: 1
   | ^
   = help: Its fields are services and routes.

error[PT3004]: routes/a.yaml has 2 further findings that are not shown.
   = help: Correct the ones shown first, or raise limits.diagnosticsPerFile.

2 errors.
`,
  },
  {
    code: 'PT3005',
    name: 'brackets without end',
    texts: {
      'portunus.yaml': `portunus: 1
limits: { nestingDepth: 8 }
`,
      'routes/a.yaml': `routes: [[[[[[[[[[[[[[[[[[[[
`,
    },
    rendered: `error[PT3005]: The file is nested deeper than 8 levels.
  --> routes/a.yaml:1:17
   |
 1 | routes: [[[[[[[[[[[[[[[[[[[[
   |                 ^
   = help: Write it flatter; no field of Portunus needs so many levels.

1 error.
`,
  },
  {
    code: 'PT3006',
    name: 'a tag',
    texts: {
      'portunus.yaml': `portunus: 1
data: !env DATA
`,
    },
    rendered: `error[PT3006]: Tags such as !env are not supported.
  --> portunus.yaml:2:7
   |
 2 | data: !env DATA
   |       ^^^^
   = help: Remove the tag. A value in quotes is a text; fields know their types.

1 error.
`,
  },
  {
    code: 'PT3006',
    name: 'a directive',
    texts: {
      'portunus.yaml': `%YAML 1.1
---
portunus: 1
`,
    },
    rendered: `error[PT3006]: Directives (lines beginning with %) are not supported.
  --> portunus.yaml:1:1
   |
 1 | %YAML 1.1
   | ^
   = help: Remove the line.

1 error.
`,
  },
  {
    code: 'PT3007',
    name: 'two documents',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'enforcement.yaml': `policies: { a: warn }
---
policies: { b: warn }
`,
    },
    rendered: `error[PT3007]: The file holds more than one YAML document.
  --> enforcement.yaml:2:1
   |
 2 | ---
   | ^^^
   = help: Put each document into a file of its own.

1 error.
`,
  },
  {
    code: 'PT3008',
    name: 'an alias without anchor',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
routes: { r: *r }
`,
    },
    rendered: `error[PT3008]: No anchor &r stands before this alias.
  --> routes/a.yaml:2:14
   |
 2 | routes: { r: *r }
   |              ^^
   = help: Write the value out.

1 error.
`,
  },
  {
    code: 'PT3008',
    name: 'aliases of aliases',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `a: &a [x,x,x,x,x,x,x,x,x,x]
b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]
c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]
d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]
e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]
f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]
g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f,*f]
h: &h [*g,*g,*g,*g,*g,*g,*g,*g,*g,*g]
i: &i [*h,*h,*h,*h,*h,*h,*h,*h,*h,*h]
`,
    },
    rendered: `error[PT3008]: Written out, the aliases of this file would make more than 4194304 values.
  --> routes/a.yaml:7:14
   |
 7 | g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f,*f]
   |              ^^
   = help: Write the values out; aliases of aliases multiply.

1 error.
`,
  },
  {
    code: 'PT3008',
    name: 'a value that contains itself',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `routes: &a { r: *a }
`,
    },
    rendered: `error[PT3008]: The value contains itself.
  --> routes/a.yaml:1:17
   |
 1 | routes: &a { r: *a }
   |                 ^^
   = help: Write the value out.

1 error.
`,
  },
  {
    code: 'PT3009',
    name: 'a tab as indentation',
    texts: {
      'portunus.yaml': 'portunus: 1\nlisten:\n\tport: 8080\n',
    },
    rendered: `error[PT3009]: Tabs are not allowed as indentation.
  --> portunus.yaml:3:1
   |
 3 |     port: 8080
   | ^^^^
   = help: Indent with blanks.

1 error.
`,
  },
  {
    code: 'PT3010',
    name: 'a list as a name',
    texts: {
      'portunus.yaml': `portunus: 1
[listen]: 1
`,
    },
    rendered: `error[PT3010]: The name of a map entry must be a text, not a list or map.
  --> portunus.yaml:2:1
   |
 2 | [listen]: 1
   | ^^^^^^^^
   = help: Write \`name: value\`. Put a text that begins with [ or { in quotes.

1 error.
`,
  },
  {
    code: 'PT3011',
    name: 'a document mark without a blank',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'enforcement.yaml': `---policies: { a: warn }
`,
    },
    rendered: `error[PT3011]: Two YAML readers understand this file differently.
  --> enforcement.yaml:1:1
   |
 1 | ---policies: { a: warn }
   | ^
   = help: Write it more plainly: without anchors, aliases and explicit keys.

1 error.
`,
  },
  {
    code: 'PT3003',
    name: 'a carriage return alone',
    texts: {
      'portunus.yaml': 'portunus: 1\rdata: ./data\n',
    },
    rendered: `error[PT3003]: The file holds a carriage return without a line feed.
  --> portunus.yaml:1:12
   |
 1 | portunus: 1�data: ./data
   |            ^
   = help: Save it with line feeds (LF, or CR LF) as ends of lines.

1 error.
`,
  },
  {
    code: 'PT3101',
    name: 'a misspelt field',
    texts: {
      'portunus.yaml': `portunus: 1
lisen: { port: 8080 }
`,
    },
    rendered: `error[PT3101]: This file has no field "lisen".
  --> portunus.yaml:2:1
   |
 2 | lisen: { port: 8080 }
   | ^^^^^
   = help: Did you mean "listen"?

1 error.
`,
  },
  {
    code: 'PT3101',
    name: 'a comma in a text without quotes',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
routes:
  r: { service: s, match: { path: / }, docs: { summary: Orders, all of them } }
`,
    },
    rendered: `error[PT3101]: "docs" has no field "all of them".
  --> routes/a.yaml:3:65
   |
 3 |   r: { service: s, match: { path: / }, docs: { summary: Orders, all of them } }
   |                                                                 ^^^^^^^^^^^
   = help: A comma ends a value within { }: a text that holds one stands in quotes, as in "a, b", and a list in brackets, as in [a, b].

1 error.
`,
  },
  {
    code: 'PT3103',
    name: 'a list without brackets',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
routes:
  r: { service: s, match: { path: / }, tags: v1, public }
`,
    },
    rendered: `error[PT3103]: "tags" must be a list, not "v1".
  --> routes/a.yaml:3:46
   |
 3 |   r: { service: s, match: { path: / }, tags: v1, public }
   |                                              ^^
   = help: Write a list: [v1], or [v1, …] for several.

1 error.
`,
  },
  {
    code: 'PT3101',
    name: 'a misspelt section',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `servces: { s: { endpoints: [{ url: "http://h" }] } }
routes:
  r: { service: s, match: { path: / } }
`,
    },
    rendered: `error[PT3101]: This file has no field "servces".
  --> routes/a.yaml:1:1
   |
 1 | servces: { s: { endpoints: [{ url: "http://h" }] } }
   | ^^^^^^^
   = help: Did you mean "services"?

1 error.
`,
  },
  {
    code: 'PT3204',
    name: 'a misspelt attribute that every tenant needs',
    texts: {
      'portunus.yaml': `portunus: 1
attributes: { tenant: { tier: { type: text } } }
`,
      'tenants/a.yaml': `tenants: { acme: { plan: free, attributes: { teir: gold } } }
`,
    },
    rendered: `error[PT3204]: No attribute "teir" is declared for a tenant.
  --> tenants/a.yaml:1:46
   |
 1 | tenants: { acme: { plan: free, attributes: { teir: gold } } }
   |                                              ^^^^
   = help: Did you mean "tier"?

1 error.
`,
  },
  {
    code: 'PT3101',
    name: 'a field that is not like any other',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'tenants/a.yaml': `tenants: { acme: { plan: free, zzz: 1 } }
`,
    },
    rendered: `error[PT3101]: "acme" has no field "zzz".
  --> tenants/a.yaml:1:32
   |
 1 | tenants: { acme: { plan: free, zzz: 1 } }
   |                                ^^^
   = help: Its fields are plan, priority, share, attributes, teams and consumers.

1 error.
`,
  },
  {
    code: 'PT3101',
    name: 'a merge key',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
routes:
  r:
    <<: { service: s }
    service: s
    match: { path: / }
`,
    },
    rendered: `error[PT3101]: Merge keys (<<) are not part of YAML 1.2.
  --> routes/a.yaml:4:5
   |
 4 |     <<: { service: s }
   |     ^^
   = help: Write the fields out.

1 error.
`,
  },
  {
    code: 'PT3101',
    name: 'a misspelt required field is one mistake',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
routes:
  r:
    servce: s
    match: { path: / }
`,
    },
    rendered: `error[PT3101]: "r" has no field "servce".
  --> routes/a.yaml:4:5
   |
 4 |     servce: s
   |     ^^^^^^
   = help: Did you mean "service"?

1 error.
`,
  },
  {
    code: 'PT3109',
    name: 'a route without service',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `routes:
  r:
    match: { path: / }
`,
    },
    rendered: `error[PT3109]: "r" needs exactly one of service or ai.
  --> routes/a.yaml:2:3
   |
 2 |   r:
   |   ^
   = help: Write one of them.

1 error.
`,
  },
  {
    code: 'PT3102',
    name: 'no format version',
    texts: {
      'portunus.yaml': `data: ./data
`,
    },
    rendered: `error[PT3102]: The file lacks the field "portunus".
  --> portunus.yaml:1:1
   |
 1 | data: ./data
   | ^^^^^^^^^^^^
   = help: Add \`portunus:\` – version of the configuration format.

1 error.
`,
  },
  {
    code: 'PT3103',
    name: 'a version that is a number',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
routes:
  r:
    service: s
    match: { path: / }
    version: 1.10
`,
    },
    rendered: `error[PT3103]: "version" must be a text, not 1.1.
  --> routes/a.yaml:6:14
   |
 6 |     version: 1.10
   |              ^^^^
   = help: Put it in quotes: "1.10".

1 error.
`,
  },
  {
    code: 'PT3103',
    name: 'a schema written out where its file is asked for',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
routes:
  r:
    service: s
    match: { path: /, methods: [POST] }
    request:
      schema: { type: object }
`,
    },
    rendered: `error[PT3103]: "schema" must be a text, not a map.
  --> routes/a.yaml:7:15
   |
 7 |       schema: { type: object }
   |               ^^^^^^^^^^^^^^^^
   = help: Write one value, such as "./order.schema.json".

1 error.
`,
  },
  {
    code: 'PT3103',
    name: 'no value',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
routes:
  r:
    service: s
    match: { path: / }
    tags:
`,
    },
    rendered: `error[PT3103]: "tags" has no value; it must be a list.
  --> routes/a.yaml:6:5
   |
 6 |     tags:
   |     ^^^^
   = help: Write a value, or remove the line.

1 error.
`,
  },
  {
    code: 'PT3103',
    name: 'one value instead of a list',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
routes:
  r:
    service: s
    match: { path: / }
    tags: public
`,
    },
    rendered: `error[PT3103]: "tags" must be a list, not "public".
  --> routes/a.yaml:6:11
   |
 6 |     tags: public
   |           ^^^^^^
   = help: Write a list: [public], or [public, …] for several.

1 error.
`,
  },
  {
    code: 'PT3103',
    name: 'a text instead of true or false',
    texts: {
      'portunus.yaml': `portunus: 1
mergeSlashes: no
`,
    },
    rendered: `error[PT3103]: "mergeSlashes" must be true or false, not "no".
  --> portunus.yaml:2:15
   |
 2 | mergeSlashes: no
   |               ^^
   = help: Write true or false.

1 error.
`,
  },
  {
    code: 'PT3104',
    name: 'a misspelt word',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
routes:
  r:
    service: s
    match: { path: / }
    state: publishd
`,
    },
    rendered: `error[PT3104]: "state" must be draft, published, deprecated or retired, not "publishd".
  --> routes/a.yaml:6:12
   |
 6 |     state: publishd
   |            ^^^^^^^^
   = help: Did you mean "published"?

1 error.
`,
  },
  {
    code: 'PT3104',
    name: 'another format version',
    texts: {
      'portunus.yaml': `portunus: 2
`,
    },
    rendered: `error[PT3104]: "portunus" must be 1, not 2.
  --> portunus.yaml:1:11
   |
 1 | portunus: 2
   |           ^
   = help: Write 1.

1 error.
`,
  },
  {
    code: 'PT3105',
    name: 'a duration without unit',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services:
  s:
    endpoints: [{ url: "http://h" }]
    timeouts: { connect: 5 }
`,
    },
    rendered: `error[PT3105]: "5" needs a unit here: a duration is expected.
  --> routes/a.yaml:4:26
   |
 4 |     timeouts: { connect: 5 }
   |                          ^
   = help: Write 5s or 5m.

1 error.
`,
  },
  {
    code: 'PT3105',
    name: 'a misspelt time zone',
    texts: {
      'portunus.yaml': `portunus: 1
zone: Europe/Berln
`,
    },
    rendered: `error[PT3105]: "Europe/Berln" is not a time zone.
  --> portunus.yaml:2:7
   |
 2 | zone: Europe/Berln
   |       ^^^^^^^^^^^^
   = help: Did you mean "Europe/Berlin"?

1 error.
`,
  },
  {
    code: 'PT3105',
    name: 'a currency in small letters',
    texts: {
      'portunus.yaml': `portunus: 1
currency: usd
`,
    },
    rendered: `error[PT3105]: "usd" is not a currency.
  --> portunus.yaml:2:11
   |
 2 | currency: usd
   |           ^^^
   = help: Did you mean "USD"?

1 error.
`,
  },
  {
    code: 'PT3105',
    name: 'a host with a port',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
routes: { r: { service: s, match: { path: /, hosts: ["a.example:80"] } } }
`,
    },
    rendered: `error[PT3105]: "a.example:80" is not a host name.
  --> routes/a.yaml:2:54
   |
 2 | routes: { r: { service: s, match: { path: /, hosts: ["a.example:80"] } } }
   |                                                      ^^^^^^^^^^^^^^
   = help: Write it like api.example.com or *.example.com, without scheme and port.

1 error.
`,
  },
  {
    code: 'PT3105',
    name: 'a day that does not exist',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'tenants/a.yaml': `tenants:
  acme:
    plan: free
    consumers:
      web:
        credentials:
          k: { hash: "ptnh1:0123456789ab:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", created: 2026-02-30 }
`,
    },
    rendered: `error[PT3105]: "2026-02-30" is not a date.
  --> tenants/a.yaml:7:97
   |
 7 | …AAAAAAAAAAAAAAAAAA", created: 2026-02-30 }
   |                                ^^^^^^^^^^
   = help: Write it like 2027-03-31.

1 error.
`,
  },
  {
    code: 'PT3106',
    name: 'a port that does not exist',
    texts: {
      'portunus.yaml': `portunus: 1
listen: { port: 80_800 }
`,
    },
    rendered: `error[PT3106]: 80_800 is out of range: the most is 65535.
  --> portunus.yaml:2:17
   |
 2 | listen: { port: 80_800 }
   |                 ^^^^^^
   = help: Write a value in range.

1 error.
`,
  },
  {
    code: 'PT3106',
    name: 'a list without items',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [] } }
`,
    },
    rendered: `error[PT3106]: "endpoints" needs at least 1 item.
  --> routes/a.yaml:1:29
   |
 1 | services: { s: { endpoints: [] } }
   |                             ^^
   = help: Add one.

1 error.
`,
  },
  {
    code: 'PT3107',
    name: 'a name in capitals',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
routes: { "List Orders": { service: s, match: { path: / } } }
`,
    },
    rendered: `error[PT3107]: "List Orders" cannot be a name here.
  --> routes/a.yaml:2:11
   |
 2 | routes: { "List Orders": { service: s, match: { path: / } } }
   |           ^^^^^^^^^^^^^
   = help: Write a name: lower-case letters, digits, and - _ . between them.

1 error.
`,
  },
  {
    code: 'PT3108',
    name: 'a tag twice',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
routes:
  r:
    service: s
    match: { path: / }
    tags: [v1, public, v1]
`,
    },
    rendered: `error[PT3108]: Items 1 and 3 of "tags" are the same.
  --> routes/a.yaml:6:24
   |
 6 |     tags: [v1, public, v1]
   |                        ^^
   = help: Remove one of them.

1 error.
`,
  },
  {
    code: 'PT3109',
    name: 'an attribute of two types',
    texts: {
      'portunus.yaml': `portunus: 1
attributes: { tenant: { size: { type: number, enum: [small] } } }
`,
    },
    rendered: `error[PT3109]: "size" needs exactly one of type, enum or list.
  --> portunus.yaml:2:25
   |
 2 | attributes: { tenant: { size: { type: number, enum: [small] } } }
   |                         ^^^^
   = help: Keep one of them.

1 error.
`,
  },
  {
    code: 'PT3110',
    name: 'another ending',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yml': `services: { s: { endpoints: [{ url: "http://h" }] } }
`,
    },
    rendered: `error[PT3110]: routes/a.yml belongs to no kind of configuration file, so nothing would read it.
  --> routes/a.yml:1:1
   |
 1 | services: { s: { endpoints: [{ url: "http://h" }] } }
   | ^
   = help: Did you mean "routes/a.yaml"?

1 error.
`,
  },
  {
    code: 'PT3110',
    name: 'a misspelt file',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'enforcment.yaml': `policies: {}
`,
    },
    rendered: `error[PT3110]: enforcment.yaml belongs to no kind of configuration file, so nothing would read it.
  --> enforcment.yaml:1:1
   |
 1 | policies: {}
   | ^
   = help: Did you mean "enforcement.yaml"?

1 error.
`,
  },
  {
    code: 'PT3110',
    name: 'a folder that is not known',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'schemas/openai.yaml': `providers: {}
`,
    },
    rendered: `error[PT3110]: schemas/openai.yaml belongs to no kind of configuration file, so nothing would read it.
  --> schemas/openai.yaml:1:1
   |
 1 | providers: {}
   | ^
   = help: Move it to routes/, tenants/ or providers/, or remove it.

1 error.
`,
  },
  {
    code: 'PT3110',
    name: 'a misspelt folder of policies',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'policy/plans.policy': `language 1
`,
    },
    rendered: `error[PT3110]: policy/plans.policy belongs to no kind of configuration file, so nothing would read it.
  --> policy/plans.policy:1:1
   |
 1 | language 1
   | ^
   = help: Did you mean "policies/plans.policy"?

1 error.
`,
  },
  {
    code: 'PT3110',
    name: 'a misspelt ending of a policy',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'policies/plans.polcy': `language 1
`,
    },
    rendered: `error[PT3110]: policies/plans.polcy belongs to no kind of configuration file, so nothing would read it.
  --> policies/plans.polcy:1:1
   |
 1 | language 1
   | ^
   = help: Did you mean "policies/plans.policy"?

1 error.
`,
  },
  {
    code: 'PT3111',
    name: 'no portunus.yaml',
    texts: {
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
`,
    },
    rendered: `error[PT3111]: The project folder has no portunus.yaml.
   = help: Make one with the line \`portunus: 1\`, or let \`portunus init\` write a small project.

1 error.
`,
  },
  {
    code: 'PT3112',
    name: 'a path that climbs out',
    texts: {
      'portunus.yaml': `portunus: 1
data: ../data
`,
    },
    rendered: `error[PT3112]: The path "../data" leaves the project folder.
  --> portunus.yaml:2:7
   |
 2 | data: ../data
   |       ^^^^^^^
   = help: Write a path relative to this file, with /, that stays inside the project folder.

1 error.
`,
  },
  {
    code: 'PT3113',
    name: 'a query in an endpoint',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h/?a=1" }] } }
`,
    },
    rendered: `error[PT3113]: "http://h/?a=1" is not an endpoint.
  --> routes/a.yaml:1:37
   |
 1 | services: { s: { endpoints: [{ url: "http://h/?a=1" }] } }
   |                                     ^^^^^^^^^^^^^^^
   = help: Remove the query or fragment: they come with each request.

1 error.
`,
  },
  {
    code: 'PT3114',
    name: 'an admin API for everyone',
    texts: {
      'portunus.yaml': `portunus: 1
admin: { address: 0.0.0.0 }
`,
    },
    rendered: `error[PT3114]: The admin API would listen on 0.0.0.0, which others can reach, without TLS.
  --> portunus.yaml:2:19
   |
 2 | admin: { address: 0.0.0.0 }
   |                   ^^^^^^^
   = help: Add \`tls: { certificate: …, key: … }\` to \`admin\`, or write 127.0.0.1 or ::1.

1 error.
`,
  },
  {
    code: 'PT3115',
    name: 'one port for both',
    texts: {
      'portunus.yaml': `portunus: 1
listen: { port: 9090 }
`,
    },
    rendered: `error[PT3115]: Requests and the admin API would both listen on port 9090.
  --> portunus.yaml:2:17
   |
 2 | listen: { port: 9090 }
   |                 ^^^^
   = help: Give one of them another port.

1 error.
`,
  },
  {
    code: 'PT3116',
    name: 'an attribute that has a meaning',
    texts: {
      'portunus.yaml': `portunus: 1
attributes: { consumer: { roles: { list: text } } }
`,
    },
    rendered: `error[PT3116]: The attribute "roles" of a consumer has a name that is taken.
  --> portunus.yaml:2:27
   |
 2 | attributes: { consumer: { roles: { list: text } } }
   |                           ^^^^^
   = help: Give it another name.

1 error.
`,
  },
  {
    code: 'PT3117',
    name: 'plans that are numbers',
    texts: {
      'portunus.yaml': `portunus: 1
attributes: { tenant: { plan: { type: number } } }
`,
    },
    rendered: `error[PT3117]: The plans of tenants must be a set of words, and every tenant has one.
  --> portunus.yaml:2:25
   |
 2 | attributes: { tenant: { plan: { type: number } } }
   |                         ^^^^
   = help: Write plan: { enum: [free, team] }, or remove the declaration to allow any plan.

1 error.
`,
  },
  {
    code: 'PT3118',
    name: 'an end before the beginning',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'tenants/a.yaml': `tenants:
  acme:
    plan: free
    consumers:
      web:
        credentials:
          k: { hash: "ptnh1:0123456789ab:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", created: 2026-11-02, expires: 2026-11-01 }
`,
    },
    rendered: `error[PT3118]: The credential expires on 2026-11-01, before it is made on 2026-11-02.
  --> tenants/a.yaml:7:118
   |
 7 | …created: 2026-11-02, expires: 2026-11-01 }
   |                                ^^^^^^^^^^
   = help: Correct one of the dates.

1 error.
`,
  },
  {
    code: 'PT3119',
    name: 'a client certificate without its key',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "https://h" }], tls: { certificate: client.pem } } }
`,
    },
    rendered: `error[PT3119]: There is a certificate without its key.
  --> routes/a.yaml:1:73
   |
 1 | services: { s: { endpoints: [{ url: "https://h" }], tls: { certificate: client.pem } } }
   |                                                                         ^^^^^^^^^^
   = help: Name the file of the key as well, or remove this line.

1 error.
`,
  },
  {
    code: 'PT3201',
    name: 'a misspelt service',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { orders: { endpoints: [{ url: "http://h" }] } }
routes: { list: { service: order, match: { path: / } } }
`,
    },
    rendered: `error[PT3201]: There is no service "order".
  --> routes/a.yaml:2:28
   |
 2 | routes: { list: { service: order, match: { path: / } } }
   |                            ^^^^^
   = help: Did you mean "orders"?

1 error.
`,
  },
  {
    code: 'PT3201',
    name: 'a misspelt token issuer',
    texts: {
      'portunus.yaml': `portunus: 1
tokenIssuers:
  corporate: { issuer: a, audience: [b], keys: "https://h/k", tenant: acme }
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
routes: { list: { service: s, match: { path: / }, identify: [api-key, "jwt:corporat"] } }
`,
    },
    rendered: `error[PT3201]: There is no token issuer "corporat".
  --> routes/a.yaml:2:71
   |
 2 | routes: { list: { service: s, match: { path: / }, identify: [api-key, "jwt:corporat"] } }
   |                                                                       ^^^^^^^^^^^^^^
   = help: Did you mean "corporate"?

1 error.
`,
  },
  {
    code: 'PT3201',
    name: 'a team of another tenant and a route that is gone',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'tenants/a.yaml': `tenants:
  acme:
    plan: free
    consumers: { web: { team: shop, subscriptions: [list] } }
`,
    },
    rendered: `error[PT3201]: There is no team of "acme" named "shop".
  --> tenants/a.yaml:4:31
   |
 4 |     consumers: { web: { team: shop, subscriptions: [list] } }
   |                               ^^^^
   = help: Define it, or name one that exists.

error[PT3201]: There is no route "list".
  --> tenants/a.yaml:4:53
   |
 4 |     consumers: { web: { team: shop, subscriptions: [list] } }
   |                                                     ^^^^
   = help: Define it, or name one that exists.

2 errors.
`,
  },
  {
    code: 'PT3201',
    name: 'a plan that is not declared',
    texts: {
      'portunus.yaml': `portunus: 1
attributes: { tenant: { plan: { enum: [free, team] } } }
`,
      'tenants/a.yaml': `tenants: { acme: { plan: fre } }
`,
    },
    rendered: `error[PT3201]: There is no plan "fre".
  --> tenants/a.yaml:1:26
   |
 1 | tenants: { acme: { plan: fre } }
   |                          ^^^
   = help: Did you mean "free"?

1 error.
`,
  },
  {
    code: 'PT3202',
    name: 'a service in two files',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
`,
      'routes/b.yaml': `
services: { s: { endpoints: [{ url: "http://h" }] } }
`,
    },
    rendered: `error[PT3202]: The service "s" is defined twice.
  --> routes/b.yaml:2:13
   |
 2 | services: { s: { endpoints: [{ url: "http://h" }] } }
   |             ^
note: first defined here
  --> routes/a.yaml:1:13
   |
 1 | services: { s: { endpoints: [{ url: "http://h" }] } }
   |             -
   = help: Keep one of them, or give one another name.

1 error.
`,
  },
  {
    code: 'PT3203',
    name: 'one key for two',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'tenants/a.yaml': `tenants:
  acme:
    plan: free
    consumers:
      web:
        credentials:
          k1: { hash: "ptnh1:0123456789ab:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", created: 2026-11-02 }
          k2: { hash: "ptnh1:0123456789ab:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", created: 2026-11-02 }
`,
    },
    rendered: `error[PT3203]: The key 0123456789ab belongs to two credentials.
  --> tenants/a.yaml:8:11
   |
 8 |           k2: { hash: "ptnh1:0123456789ab:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", created: 202…
   |           ^^
note: first used here
  --> tenants/a.yaml:7:11
   |
 7 |           k1: { hash: "ptnh1:0123456789ab:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", created: 202…
   |           --
   = help: Issue one of them anew with \`portunus keys issue\`.

1 error.
`,
  },
  {
    code: 'PT3203',
    name: 'one certificate for two',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'tenants/a.yaml': `tenants:
  acme:
    plan: free
    consumers:
      web: { credentials: { a: { certificate: { sha256: "${'0a'.repeat(32)}" }, created: 2026-11-02 } } }
      app: { credentials: { b: { certificate: { sha256: "${'0A:'.repeat(31)}0A" }, created: 2026-11-02 } } }
`,
    },
    rendered: `error[PT3203]: This certificate belongs to two credentials.
  --> tenants/a.yaml:6:29
   |
 6 |       app: { credentials: { b: { certificate: { sha256: "0A:0A:0A:0A:0A:0A:0A:0A:0A:0A:0A:0A:0A:0A:0…
   |                             ^
note: first used here
  --> tenants/a.yaml:5:29
   |
 5 |       web: { credentials: { a: { certificate: { sha256: "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0…
   |                             -
   = help: Remove one of them.

1 error.
`,
  },
  {
    code: 'PT3208',
    name: 'two issuers of one token',
    texts: {
      'portunus.yaml': `portunus: 1
tokenIssuers:
  a: { issuer: us, audience: [x, y], keys: "https://h/a", tenant: acme }
  b: { issuer: us, audience: [z], keys: "https://h/b", tenant: acme }
  c: { issuer: us, audience: [w, y], keys: "https://h/c", tenant: other }
`,
    },
    rendered: `error[PT3208]: A token from "us" for "y" could be of "a" or of "c".
  --> portunus.yaml:5:30
   |
 5 |   c: { issuer: us, audience: [w, y], keys: "https://h/c", tenant: other }
   |                              ^^^^^^
note: the other one
  --> portunus.yaml:3:30
   |
 3 |   a: { issuer: us, audience: [x, y], keys: "https://h/a", tenant: acme }
   |                              ------
   = help: Give each of them audiences of its own, or make one of both.

1 error.
`,
  },
  {
    code: 'PT3212',
    name: 'issuers that are no addresses, or none that can be trusted',
    texts: {
      'portunus.yaml': `portunus: 1
tokenIssuers:
  a: { issuer: https://a.example/realm, audience: [x], keys: discovery, tenant: acme }
  b: { issuer: b, audience: [x], keys: discovery, tenant: acme }
  c: { issuer: http://c.example, audience: [x], keys: discovery, tenant: acme }
`,
    },
    rendered: `error[PT3212]: "b" can't be asked where its keys are.
  --> portunus.yaml:4:16
   |
 4 |   b: { issuer: b, audience: [x], keys: discovery, tenant: acme }
   |                ^
   = help: Write the https address that the issuer names itself by, without query; or for keys the address at which they lie.

error[PT3212]: "http://c.example" can't be asked where its keys are.
  --> portunus.yaml:5:16
   |
 5 |   c: { issuer: http://c.example, audience: [x], keys: discovery, tenant: acme }
   |                ^^^^^^^^^^^^^^^^
   = help: Write the https address that the issuer names itself by, without query; or for keys the address at which they lie.

2 errors.
`,
  },
  {
    code: 'PT3209',
    name: 'certificates that nobody is believed about',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
routes: { list: { service: s, match: { path: / }, identify: [api-key, mtls] } }
`,
    },
    rendered: `error[PT3209]: No proxy is trusted, so no certificate of a client is ever believed.
  --> routes/a.yaml:2:71
   |
 2 | routes: { list: { service: s, match: { path: / }, identify: [api-key, mtls] } }
   |                                                                       ^^^^
   = help: Name the addresses of your proxies in portunus.yaml: clientCertificates: { trustedProxies: [10.0.0.7] }.

1 error.
`,
  },
  {
    code: 'PT3106',
    name: 'a proxy that is everybody, and a certificate with two names',
    texts: {
      'portunus.yaml': `portunus: 1
clientCertificates: { trustedProxies: [0.0.0.0/0, 10.0.0.1/8, 10.0.0.7] }
`,
      'tenants/a.yaml': `tenants:
  acme:
    plan: free
    consumers: { web: { credentials: { a: { certificate: { uri: "spiffe://acme/web" }, created: 2026-11-02 } } } }
`,
      'tenants/b.yaml': `tenants:
  other:
    plan: free
    consumers: { web: { credentials: { a: { certificate: { dns: a.example, uri: "x:y" }, created: 2026-11-02 } } } }
`,
    },
    rendered: `error[PT3106]: 0.0.0.0/0 is every address: anybody would be believed.
  --> portunus.yaml:2:40
   |
 2 | clientCertificates: { trustedProxies: [0.0.0.0/0, 10.0.0.1/8, 10.0.0.7] }
   |                                        ^^^^^^^^^
   = help: Write the addresses of the proxies.

error[PT3105]: "10.0.0.1/8" has bits behind its length.
  --> portunus.yaml:2:51
   |
 2 | clientCertificates: { trustedProxies: [0.0.0.0/0, 10.0.0.1/8, 10.0.0.7] }
   |                                                   ^^^^^^^^^^
   = help: Write the network's first address, or /32.

error[PT3109]: "certificate" needs exactly one of sha256, uri, dns or subject.
  --> tenants/b.yaml:4:45
   |
 4 | … { web: { credentials: { a: { certificate: { dns: a.example, uri: "x:y" }, created: 2026-11-02 } } …
   |                                ^^^^^^^^^^^
   = help: Keep one of them.

3 errors.
`,
  },
  {
    code: 'PT3210',
    name: 'a name in a certificate, and no authorities',
    texts: {
      'portunus.yaml': `portunus: 1
clientCertificates: { trustedProxies: [10.0.0.7] }
`,
      'tenants/a.yaml': `tenants:
  acme:
    plan: free
    consumers: { web: { credentials: { a: { certificate: { uri: "spiffe://acme/web" }, created: 2026-11-02 } } } }
`,
    },
    rendered: `error[PT3210]: Nobody vouches for the URI of a certificate.
  --> tenants/a.yaml:4:65
   |
 4 | …s: { a: { certificate: { uri: "spiffe://acme/web" }, created: 2026-11-02 } } } }
   |                                ^^^^^^^^^^^^^^^^^^^
   = help: Name who may in portunus.yaml, clientCertificates.authorities, or write the fingerprint: sha256.

1 error.
`,
  },
  {
    code: 'PT3401',
    name: 'a secret in the place of a reference',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'tenants/a.yaml': `tenants:
  acme:
    plan: free
    consumers:
      web:
        credentials:
          signer:
            secrets: ["correct horse battery staple"]
            created: 2026-11-02
`,
    },
    rendered: `error[PT3401]: This is no reference to a secret, and may be the secret itself.
  --> tenants/a.yaml:8:23
   |
 8 |             secrets: [••••••••••••••••••••••••••••••]
   |                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   = help: Write env:NAME, file:PATH or store:NAME, and put the secret there.

1 error.
`,
  },
  {
    code: 'PT3204',
    name: 'a misspelt attribute',
    texts: {
      'portunus.yaml': `portunus: 1
attributes: { tenant: { region: { type: text, optional: true } } }
`,
      'tenants/a.yaml': `tenants: { acme: { plan: free, attributes: { regoin: eu } } }
`,
    },
    rendered: `error[PT3204]: No attribute "regoin" is declared for a tenant.
  --> tenants/a.yaml:1:46
   |
 1 | tenants: { acme: { plan: free, attributes: { regoin: eu } } }
   |                                              ^^^^^^
   = help: Did you mean "region"?

1 error.
`,
  },
  {
    code: 'PT3205',
    name: 'an attribute that is missing',
    texts: {
      'portunus.yaml': `portunus: 1
attributes: { team: { region: { type: text } } }
`,
      'tenants/a.yaml': `tenants:
  acme:
    plan: free
    teams: { shop: {} }
`,
    },
    rendered: `error[PT3205]: This team lacks the attribute "region".
  --> tenants/a.yaml:4:14
   |
 4 |     teams: { shop: {} }
   |              ^^^^
   = help: Write it under attributes, or declare it as optional in portunus.yaml.

1 error.
`,
  },
  {
    code: 'PT3206',
    name: 'attributes of other types',
    texts: {
      'portunus.yaml': `portunus: 1
attributes: { tenant: { region: { enum: [eu, us] }, budget: { type: money }, idle: { type: duration } } }
`,
      'tenants/a.yaml': `tenants: { acme: { plan: free, attributes: { region: uk, budget: €5, idle: 5 } } }
`,
    },
    rendered: `error[PT3206]: "uk" is not eu or us.
  --> tenants/a.yaml:1:54
   |
 1 | tenants: { acme: { plan: free, attributes: { region: uk, budget: €5, idle: 5 } } }
   |                                                      ^^
   = help: Did you mean "us"?

error[PT3206]: €5 is in EUR; accounts are kept in USD.
  --> tenants/a.yaml:1:66
   |
 1 | tenants: { acme: { plan: free, attributes: { region: uk, budget: €5, idle: 5 } } }
   |                                                                  ^^
   = help: Write an amount in USD, or give portunus.yaml a rate: rates: { EUR: { rate: …, date: … } }.

error[PT3206]: "5" needs a unit here: a duration is expected.
  --> tenants/a.yaml:1:76
   |
 1 | tenants: { acme: { plan: free, attributes: { region: uk, budget: €5, idle: 5 } } }
   |                                                                            ^
   = help: Write 5s or 5m.

3 errors.
`,
  },
  {
    code: 'PT3301',
    name: 'two routes for the same requests',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
routes:
  by-id: { service: s, match: { methods: [GET, PUT], path: "/v1/orders/{id}" } }
  by-number: { service: s, match: { methods: [PUT], path: "/v1/orders/{number}" } }
`,
    },
    rendered: `error[PT3301]: The routes "by-number" and "by-id" fit the same requests equally well.
  --> routes/a.yaml:4:59
   |
 4 |   by-number: { service: s, match: { methods: [PUT], path: "/v1/orders/{number}" } }
   |                                                           ^^^^^^^^^^^^^^^^^^^^^
note: "by-id" matches here
  --> routes/a.yaml:3:60
   |
 3 |   by-id: { service: s, match: { methods: [GET, PUT], path: "/v1/orders/{id}" } }
   |                                                            -----------------
   = help: Tell them apart by path, method, host or a header field, or remove one of them.

1 error.
`,
  },
  {
    code: 'PT3302',
    name: 'a path without slash',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
routes:
  r:
    service: s
    match: { path: v1 }
    tags: []
`,
    },
    rendered: `error[PT3302]: The path "v1" does not begin with /.
  --> routes/a.yaml:5:20
   |
 5 |     match: { path: v1 }
   |                    ^^
   = help: Write "/v1".

1 error.
`,
  },
  {
    code: 'PT3302',
    name: 'a blank in a path',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
routes:
  r:
    service: s
    match: { path: "/v1/my orders" }
    tags: []
`,
    },
    rendered: `error[PT3302]: The path "/v1/my orders" has the segment "my orders", which is not in its normal form.
  --> routes/a.yaml:5:20
   |
 5 |     match: { path: "/v1/my orders" }
   |                    ^^^^^^^^^^^^^^^
   = help: Write "my%20orders".

1 error.
`,
  },
  {
    code: 'PT3303',
    name: 'a parameter that the path does not have',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
routes:
  r:
    service: s
    match: { path: "/v1/{id}" }
    upstreamPath: "/orders/{idd}"
`,
    },
    rendered: `error[PT3303]: The path of this route has no parameter {idd}.
  --> routes/a.yaml:6:19
   |
 6 |     upstreamPath: "/orders/{idd}"
   |                   ^^^^^^^^^^^^^^^
   = help: Did you mean "id"?

1 error.
`,
  },
  {
    code: 'PT3304',
    name: 'a header field in two spellings',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
routes: { r: { service: s, match: { path: /, headers: { x-v: "1", X-V: "2" } } } }
`,
    },
    rendered: `error[PT3304]: The header field "X-V" is named twice.
  --> routes/a.yaml:2:67
   |
 2 | routes: { r: { service: s, match: { path: /, headers: { x-v: "1", X-V: "2" } } } }
   |                                                                   ^^^
   = help: Keep one of them: names of header fields are the same in capitals and small letters.

1 error.
`,
  },
  {
    code: 'PT3305',
    name: 'a schema file that is not there',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
routes: { r: { service: s, match: { methods: [POST], path: / }, request: { schema: ./order.schema.json } } }
`,
      'routes/orders.schema.json': '{}',
    },
    rendered: `error[PT3305]: There is no schema file "routes/order.schema.json".
  --> routes/a.yaml:2:84
   |
 2 | …path: / }, request: { schema: ./order.schema.json } } }
   |                                ^^^^^^^^^^^^^^^^^^^
   = help: Did you mean "routes/orders.schema.json"?

1 error.
`,
  },
  {
    code: 'PT3305',
    name: 'a schema file where none is looked for',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
routes: { r: { service: s, match: { methods: [POST], path: / }, request: { schema: ../tenants/order.schema.json } } }
`,
    },
    rendered: `error[PT3305]: There is no schema file "tenants/order.schema.json".
  --> routes/a.yaml:2:84
   |
 2 | …path: / }, request: { schema: ../tenants/order.schema.json } } }
   |                                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   = help: Schemas end with .schema.json and stand in routes/ or schemas/.

1 error.
`,
  },
  {
    code: 'PT3306',
    name: 'a schema that is not JSON',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
routes: { r: { service: s, match: { methods: [POST], path: / }, request: { schema: ./order.schema.json } } }
`,
      'routes/order.schema.json': '{\n "type": "object",\n "type": "array" }',
    },
    rendered: `error[PT3306]: Line 3 of routes/order.schema.json is not JSON: an object has two members of the same name.
  --> routes/a.yaml:2:84
   |
 2 | …path: / }, request: { schema: ./order.schema.json } } }
   |                                ^^^^^^^^^^^^^^^^^^^
   = help: Correct the file; references may lead only to places within it.

1 error.
`,
  },
  {
    code: 'PT3306',
    name: 'a schema with a misspelt keyword',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
routes: { r: { service: s, match: { methods: [POST], path: / }, request: { schema: ./order.schema.json } } }
`,
      'routes/order.schema.json': '{ "type": "object", "requierd": ["a"] }',
    },
    rendered: `error[PT3306]: routes/order.schema.json is not a JSON Schema: unknown keyword: "requierd".
  --> routes/a.yaml:2:84
   |
 2 | …path: / }, request: { schema: ./order.schema.json } } }
   |                                ^^^^^^^^^^^^^^^^^^^
   = help: Correct the file; references may lead only to places within it.

1 error.
`,
  },
  {
    code: 'PT3306',
    name: 'a schema that refers to another file',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
routes: { r: { service: s, match: { methods: [POST], path: / }, request: { schema: ./order.schema.json } } }
`,
      'routes/order.schema.json': '{ "$ref": "https://acme.example/order.json" }',
    },
    rendered: `error[PT3306]: routes/order.schema.json is not a JSON Schema: can't resolve reference https://acme.example/order.json from id #.
  --> routes/a.yaml:2:84
   |
 2 | …path: / }, request: { schema: ./order.schema.json } } }
   |                                ^^^^^^^^^^^^^^^^^^^
   = help: Correct the file; references may lead only to places within it.

1 error.
`,
  },
  {
    code: 'PT3105',
    name: 'something that is no price',
    texts: {
      'portunus.yaml': 'portunus: 1\n',
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://127.0.0.1:1" }] } }
routes:
  r: { service: s, match: { path: /r }, cost: $0.002 }
`,
    },
    rendered: `error[PT3105]: "$0.002" is not a price.
  --> routes/a.yaml:3:47
   |
 3 |   r: { service: s, match: { path: /r }, cost: $0.002 }
   |                                               ^^^^^^
   = help: Write it like $0.002 per request.

1 error.
`,
  },
  {
    code: 'PT3129',
    name: 'a webhook that is no address',
    texts: {
      'portunus.yaml': `portunus: 1
deliveries:
  oncall: { webhook: "https://me@hooks.example/x", secretFile: ./secret }
  chat: { webhook: hooks.example, secretFile: ./secret }
`,
    },
    rendered: `error[PT3129]: "https://me@hooks.example/x" is not an address that alerts can be sent to.
  --> portunus.yaml:3:22
   |
 3 |   oncall: { webhook: "https://me@hooks.example/x", secretFile: ./secret }
   |                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   = help: Remove what stands before the @: messages are signed, and files are no place for passwords.

error[PT3129]: "hooks.example" is not an address that alerts can be sent to.
  --> portunus.yaml:4:20
   |
 4 |   chat: { webhook: hooks.example, secretFile: ./secret }
   |                    ^^^^^^^^^^^^^
   = help: Write it like https://hooks.example.com/portunus.

2 errors.
`,
  },
  {
    code: 'PT3109',
    name: 'a cost that is told twice',
    texts: {
      'portunus.yaml': 'portunus: 1\n',
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://127.0.0.1:1" }] } }
routes:
  r: { service: s, match: { path: /r }, cost: { header: x-cost, body: usage.cost, atMost: $1 } }
`,
    },
    rendered: `error[PT3109]: "cost" names both a header and a member of the body.
  --> routes/a.yaml:3:47
   |
 3 |   r: { service: s, match: { path: /r }, cost: { header: x-cost, body: usage.cost, atMost: $1 } }
   |                                               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   = help: Write one of header and body, or a price such as $0.002 per request.

1 error.
`,
  },
  {
    code: 'PT3120',
    name: 'a rate of the accounting currency',
    texts: {
      'portunus.yaml': `portunus: 1
rates: { EUR: { rate: 1.08, date: 2026-11-01 }, USD: { rate: 1, date: 2026-11-01 } }
`,
    },
    rendered: `error[PT3120]: Accounts are kept in USD: it has no rate to itself.
  --> portunus.yaml:2:49
   |
 2 | rates: { EUR: { rate: 1.08, date: 2026-11-01 }, USD: { rate: 1, date: 2026-11-01 } }
   |                                                 ^^^
   = help: Remove the rate, or name another currency.

1 error.
`,
  },
  {
    code: 'PT3105',
    name: 'rates that are none',
    texts: {
      'portunus.yaml': `portunus: 1
rates: { EUR: { rate: 0, date: 2026-11-31 }, EURO: { rate: 1.08, date: 2026-11-01 } }
`,
    },
    rendered: `error[PT3105]: "EURO" is not a currency.
  --> portunus.yaml:2:8
   |
 2 | rates: { EUR: { rate: 0, date: 2026-11-31 }, EURO: { rate: 1.08, date: 2026-11-01 } }
   |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   = help: Did you mean "EUR"?

error[PT3105]: "0" is not an exchange rate.
  --> portunus.yaml:2:23
   |
 2 | rates: { EUR: { rate: 0, date: 2026-11-31 }, EURO: { rate: 1.08, date: 2026-11-01 } }
   |                       ^
   = help: Write it like 1.08, with at most nine decimals.

error[PT3105]: "2026-11-31" is not a date.
  --> portunus.yaml:2:32
   |
 2 | rates: { EUR: { rate: 0, date: 2026-11-31 }, EURO: { rate: 1.08, date: 2026-11-01 } }
   |                                ^^^^^^^^^^
   = help: Write it like 2027-03-31.

3 errors.
`,
  },
  {
    code: 'PT3318',
    name: 'the most of a told price in another currency',
    texts: {
      'portunus.yaml': `portunus: 1
rates: { EUR: { rate: 1.08, date: 2026-11-01 }, GBP: { rate: 9000000, date: 2026-11-01 } }
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://127.0.0.1:1" }] } }
routes:
  r: { service: s, match: { path: /r }, cost: { atMost: €5, header: x-cost } }
  q: { service: s, match: { path: /q }, cost: £2 per request }
`,
    },
    rendered: `error[PT3318]: "€5" is in EUR; what answers tell is read in USD.
  --> routes/a.yaml:3:57
   |
 3 |   r: { service: s, match: { path: /r }, cost: { atMost: €5, header: x-cost } }
   |                                                         ^^
   = help: Write an amount in USD, as the answers do.

error[PT3318]: "£2 per request" is too much: amounts end at 9_000_000 USD.
  --> routes/a.yaml:4:47
   |
 4 |   q: { service: s, match: { path: /q }, cost: £2 per request }
   |                                               ^^^^^^^^^^^^^^
   = help: Write a smaller price.

2 errors.
`,
  },
  {
    code: 'PT3318',
    name: 'a price in another currency',
    texts: {
      'portunus.yaml': 'portunus: 1\n',
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://127.0.0.1:1" }] } }
routes:
  r: { service: s, match: { path: /r }, cost: €0.002 per request }
`,
    },
    rendered: `error[PT3318]: "€0.002 per request" is in EUR; accounts are kept in USD.
  --> routes/a.yaml:3:47
   |
 3 |   r: { service: s, match: { path: /r }, cost: €0.002 per request }
   |                                               ^^^^^^^^^^^^^^^^^^
   = help: Write an amount in USD, or give portunus.yaml a rate: rates: { EUR: { rate: …, date: … } }.

1 error.
`,
  },
  {
    code: 'PT3307',
    name: 'a schema for every method',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
routes: { r: { service: s, match: { path: / }, request: { schema: ./order.schema.json } } }
`,
      'routes/order.schema.json': '{}',
    },
    rendered: `error[PT3307]: A route with a request schema must name its methods.
  --> routes/a.yaml:2:67
   |
 2 | routes: { r: { service: s, match: { path: / }, request: { schema: ./order.schema.json } } }
   |                                                                   ^^^^^^^^^^^^^^^^^^^
   = help: Name POST, PUT or PATCH in match.methods, and give other methods a route of their own.

1 error.
`,
  },
  {
    code: 'PT3307',
    name: 'a schema for GET',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
routes: { r: { service: s, match: { methods: [POST, GET, HEAD], path: / }, request: { schema: ./order.schema.json } } }
`,
      'routes/order.schema.json': '{}',
    },
    rendered: `error[PT3307]: Requests with GET and HEAD have no body that could fit a schema.
  --> routes/a.yaml:2:95
   |
 2 | …path: / }, request: { schema: ./order.schema.json } } }
   |                                ^^^^^^^^^^^^^^^^^^^
   = help: Name POST, PUT or PATCH in match.methods, and give other methods a route of their own.

1 error.
`,
  },
  {
    code: 'PT3308',
    name: 'a WebSocket that begins with POST',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
routes: { live: { service: s, match: { methods: [POST], path: /live }, websocket: {} } }
`,
    },
    rendered: `error[PT3308]: A WebSocket begins with GET, which this route does not take.
  --> routes/a.yaml:2:49
   |
 2 | routes: { live: { service: s, match: { methods: [POST], path: /live }, websocket: {} } }
   |                                                 ^^^^^^
   = help: Write methods: [GET], or leave them out.

1 error.
`,
  },
  {
    code: 'PT3214',
    name: 'a limit of money for a model that nobody knows the price of',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'providers/a.yaml': `providers: { openai: { extends: builtin/openai } }
pools: { main: { provider: openai, keys: { k: { secret: "env:K", limits: { perDay: $5 } } } } }
models:
  house-model: { pools: [main] }
`,
    },
    rendered: `error[PT3214]: Keys of "main" may spend no more than an amount of money, and no price of "house-model" is known.
  --> providers/a.yaml:4:3
   |
 4 |   house-model: { pools: [main] }
   |   ^^^^^^^^^^^
   = help: Say what it costs: price: { input: $2.50, output: $10, asOf: 2026-11-01 }, for a million tokens.

1 error.
`,
  },
  {
    code: 'PT3104',
    name: 'a misspelt operation',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `routes: { chat: { ai: openai/chatt } }
`,
    },
    rendered: `error[PT3104]: "ai" must be openai, anthropic, openai/chat, openai/responses, openai/completions, openai/embeddings or one of 14 other words, not "openai/chatt".
  --> routes/a.yaml:1:23
   |
 1 | routes: { chat: { ai: openai/chatt } }
   |                       ^^^^^^^^^^^^
   = help: Did you mean "openai/chat"?

1 error.
`,
  },
  {
    code: 'PT3104',
    name: 'an operation by a longer name',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `routes: { chat: { ai: openai/chat-completions } }
`,
    },
    rendered: `error[PT3104]: "ai" must be openai, anthropic, openai/chat, openai/responses, openai/completions, openai/embeddings or one of 14 other words, not "openai/chat-completions".
  --> routes/a.yaml:1:23
   |
 1 | routes: { chat: { ai: openai/chat-completions } }
   |                       ^^^^^^^^^^^^^^^^^^^^^^^
   = help: Did you mean "openai/chat"?

1 error.
`,
  },
  {
    code: 'PT3309',
    name: 'a route to models with a path of a service',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `routes: { chat: { ai: openai/chat, upstreamPath: /chat } }
`,
    },
    rendered: `error[PT3309]: A route to models has no use for "upstreamPath".
  --> routes/a.yaml:1:36
   |
 1 | routes: { chat: { ai: openai/chat, upstreamPath: /chat } }
   |                                    ^^^^^^^^^^^^
   = help: Remove it: the provider says where its calls go, and the model what they cost.

1 error.
`,
  },
  {
    code: 'PT3309',
    name: 'a route to models that asks for what may be paid for twice',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `routes: { chat: { ai: openai/chat, repeatUnsafeMethods: true } }
`,
    },
    rendered: `error[PT3309]: A route to models has no use for "repeatUnsafeMethods": its calls are never repeated after they were sent.
  --> routes/a.yaml:1:36
   |
 1 | routes: { chat: { ai: openai/chat, repeatUnsafeMethods: true } }
   |                                    ^^^^^^^^^^^^^^^^^^^
   = help: Remove it: what a provider has worked on is paid for, though its answer was lost.

1 error.
`,
  },
  {
    code: 'PT3309',
    name: 'a route to all operations without room for them',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `routes: { llm: { ai: openai, match: { methods: [POST], path: /v1/chat/completions } } }
`,
    },
    rendered: `error[PT3309]: A route to all operations has no use for "methods": each of them has its own.
  --> routes/a.yaml:1:39
   |
 1 | routes: { llm: { ai: openai, match: { methods: [POST], path: /v1/chat/completions } } }
   |                                       ^^^^^^^
   = help: Remove it.

error[PT3309]: The path of a route to all operations ends in {name...}: they are below it.
  --> routes/a.yaml:1:62
   |
 1 | routes: { llm: { ai: openai, match: { methods: [POST], path: /v1/chat/completions } } }
   |                                                              ^^^^^^^^^^^^^^^^^^^^
   = help: Write path: "/v1/{operation...}".

2 errors.
`,
  },
  {
    code: 'PT3309',
    name: 'a route to one model that does not say which',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `routes: { one: { ai: openai/model, match: { path: /v1/models } } }
`,
    },
    rendered: `error[PT3309]: The path of a route to one model ends in a parameter, which is its name.
  --> routes/a.yaml:1:51
   |
 1 | routes: { one: { ai: openai/model, match: { path: /v1/models } } }
   |                                                   ^^^^^^^^^^
   = help: Write path: "/v1/models/{model...}".

1 error.
`,
  },
  {
    code: 'PT3302',
    name: 'a line whose path has the parameter of an operation',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `routes: { llm: { ai: openai, match: { path: "/{model}/{rest...}" } } }
`,
    },
    rendered: `error[PT3302]: The path "/{model}/models/{model...}" names {model} twice.
  --> routes/a.yaml:1:45
   |
 1 | routes: { llm: { ai: openai, match: { path: "/{model}/{rest...}" } } }
   |                                             ^^^^^^^^^^^^^^^^^^^^
   = help: Give each parameter a name of its own.

1 error.
`,
  },
  {
    code: 'PT3401',
    name: 'an API key',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://h" }] } }
routes:
  r:
    service: s
    match: { path: /, headers: { authorization: "sk-proj-abcdEFGH1234ijklMNOP" } }
`,
    },
    rendered: `error[PT3401]: This looks like an API key; a secret may not stand in a configuration file. It is not shown here.
  --> routes/a.yaml:5:50
   |
 5 |     match: { path: /, headers: { authorization: "••••••••••••••••••••••••••••" } }
   |                                                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   = help: Write env:NAME, file:PATH or store:NAME where a secret is asked for, and put it there; replace the secret itself, as whoever could read this file may have it.

1 error.
`,
  },
  {
    code: 'PT3401',
    name: 'a password in a URL',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://user:hunter2@h" }] } }
`,
    },
    rendered: `error[PT3401]: This looks like a password in a URL; a secret may not stand in a configuration file. It is not shown here.
  --> routes/a.yaml:1:50
   |
 1 | services: { s: { endpoints: [{ url: "http://user:•••••••@h" }] } }
   |                                                  ^^^^^^^
   = help: Write env:NAME, file:PATH or store:NAME where a secret is asked for, and put it there; replace the secret itself, as whoever could read this file may have it.

1 error.
`,
  },
  {
    code: 'PT3207',
    name: 'an authority over everything and over a tenant, and misspelt names',
    texts: {
      'portunus.yaml': `portunus: 1
authorities:
  policies/a: { everything: true, tenants: [acme] }
  policies/b: { routes: [oders], tags: [vl] }
`,
      'routes/a.yaml': `services: { s: { endpoints: [{ url: "http://127.0.0.1:1" }] } }
routes: { orders: { service: s, match: { path: / }, tags: [v1] } }
`,
      'tenants/a.yaml': `tenants: { acme: { plan: free } }
`,
    },
    rendered: `error[PT3207]: This folder may govern everything, and also only some of it.
  --> portunus.yaml:3:29
   |
 3 |   policies/a: { everything: true, tenants: [acme] }
   |                             ^^^^
   = help: Remove "everything", or the lists beside it.

error[PT3201]: There is no route "oders".
  --> portunus.yaml:4:26
   |
 4 |   policies/b: { routes: [oders], tags: [vl] }
   |                          ^^^^^
   = help: Did you mean "orders"?

error[PT3201]: There is no tag "vl".
  --> portunus.yaml:4:41
   |
 4 |   policies/b: { routes: [oders], tags: [vl] }
   |                                         ^^
   = help: Did you mean "v1"?

3 errors.
`,
  },
  {
    code: 'PT3211',
    name: 'a model in pools of different dialects',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'providers/a.yaml': `providers:
  openai: { extends: builtin/openai }
  anthropic: { extends: builtin/anthropic }
pools:
  first: { provider: openai, keys: { k: { secret: env:A } } }
  second: { provider: anthropic, keys: { k: { secret: env:B } } }
models:
  chat: { pools: [first, second] }
`,
    },
    rendered: `error[PT3211]: The pools of "chat" speak different dialects: openai ("first") and anthropic ("second").
  --> providers/a.yaml:8:26
   |
 8 |   chat: { pools: [first, second] }
   |                          ^^^^^^
   = help: Make a model of another name for them: calls are passed on as they come.

1 error.
`,
  },
  {
    code: 'PT3218',
    name: 'a price to come that is older than the one of now',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'providers/a.yaml': `providers: { openai: { extends: builtin/openai } }
pools: { main: { provider: openai, keys: { k: { secret: "env:K" } } } }
models:
  gpt-4o: { pools: [main], pricesFrom: { 2026-01-01: { input: $3, output: $9 } } }
  chat:
    pools: [main]
    price: { input: $2, output: $8, asOf: 2026-11-01 }
    pricesFrom:
      2026-11-01: { input: $3, output: $9 }
      2026-11-02: { input: $3, output: $9 }
`,
    },
    rendered: `error[PT3218]: The price from 2026-11-01 on would take the place of one that is from 2026-11-01.
  --> providers/a.yaml:9:7
   |
 9 |       2026-11-01: { input: $3, output: $9 }
   |       ^^^^^^^^^^
   = help: Remove it, or say that price under pricesFrom as well.

1 error.
`,
  },
  {
    code: 'PT3215',
    name: 'a hook that is a command and a webhook',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'providers/a.yaml': `providers: { openai: { extends: builtin/openai } }
pools:
  main:
    provider: openai
    rotation: { command: [/bin/new], webhook: "https://vault.example" }
    keys: { k: { secret: "store:k" } }
`,
    },
    rendered: `error[PT3215]: What is asked for new secrets is a command, or a webhook with the secretFile that it is signed with.
  --> providers/a.yaml:5:15
   |
 5 |     rotation: { command: [/bin/new], webhook: "https://vault.example" }
   |               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   = help: Write \`command: [/usr/local/bin/new-key]\`, or \`webhook\` and \`secretFile\`.

1 error.
`,
  },
  {
    code: 'PT3215',
    name: 'a webhook that answers secrets in the clear',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'providers/a.yaml': `providers: { openai: { extends: builtin/openai } }
pools:
  main:
    provider: openai
    rotation: { webhook: "http://vault.example/", secretFile: s }
    keys: { k: { secret: "store:k" } }
`,
    },
    rendered: `error[PT3215]: "http://vault.example/" is not an address that secrets can be asked for.
  --> providers/a.yaml:5:26
   |
 5 |     rotation: { webhook: "http://vault.example/", secretFile: s }
   |                          ^^^^^^^^^^^^^^^^^^^^^^^
   = help: Write it like https://vault.example.com/rotate, without a name or password in it; http is taken on this machine alone.

1 error.
`,
  },
  {
    code: 'PT3216',
    name: 'a hook for a secret of the environment',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'providers/a.yaml': `providers: { openai: { extends: builtin/openai } }
pools:
  main:
    provider: openai
    rotation: { command: [/bin/new] }
    keys: { k: { secret: "env:K" } }
`,
    },
    rendered: `error[PT3216]: The secret of key "k" of pool "main" is the variable K, which no hook can replace.
  --> providers/a.yaml:5:15
   |
 5 |     rotation: { command: [/bin/new] }
   |               ^^^^^^^^^^^^^^^^^^^^^^^
   = help: Write \`secret: "store:main/k"\` at the key, and set it with "portunus secrets set"; or remove \`rotation\`.

1 error.
`,
  },
  {
    code: 'PT3213',
    name: 'two sets of limits for one account',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'providers/a.yaml': `providers: { openai: { extends: builtin/openai }, groq: { extends: builtin/groq } }
pools:
  main:
    provider: openai
    keys:
      k1: { account: org-1, secret: env:A, limits: { rpm: 500 } }
      k2: { account: org-1, secret: env:B }
      k3: { account: org-1, secret: env:C, limits: { rpm: 600 } }
      k4: { account: org-2, secret: env:D, limits: { rpm: 600 } }
  fast: { provider: groq, keys: { k1: { account: org-1, secret: env:E, limits: { rpm: 600 } } } }
`,
    },
    rendered: `error[PT3213]: "k3" says other limits of the account "org-1" than the key before it.
  --> providers/a.yaml:8:52
   |
 8 |       k3: { account: org-1, secret: env:C, limits: { rpm: 600 } }
   |                                                    ^^^^^^^^^^^^
note: the other ones
  --> providers/a.yaml:6:52
   |
 6 |       k1: { account: org-1, secret: env:A, limits: { rpm: 500 } }
   |                                                    ------------
   = help: Write the limits of an account at one of its keys, or the same ones at each.

1 error.
`,
  },
  {
    code: 'PT3217',
    name: 'one secret as keys of two accounts',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'providers/a.yaml': `providers: { openai: { extends: builtin/openai }, groq: { extends: builtin/groq } }
pools:
  main: { provider: openai, keys: { k1: { secret: env:A }, k2: { account: k1, secret: env:A } } }
  fast: { provider: groq, keys: { k9: { secret: env:A } } }
  spare: { provider: openai, keys: { s1: { secret: env:A } } }
`,
    },
    rendered: `warning[PT3217]: "s1" has the same secret as "k1" of "main", but its account is "s1" and not "k1".
  --> providers/a.yaml:5:52
   |
 5 |   spare: { provider: openai, keys: { s1: { secret: env:A } } }
   |                                                    ^^^^^
note: the other one
  --> providers/a.yaml:3:51
   |
 3 |   main: { provider: openai, keys: { k1: { secret: env:A }, k2: { account: k1, secret: env:A } } }
   |                                                   -----
   = help: Write at both which account it is: account: k1.

1 warning.
`,
  },
  {
    code: 'PT3219',
    name: 'a discount off a price that nobody knows',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'providers/a.yaml': `providers: { openai: { extends: builtin/openai } }
pools:
  main:
    provider: openai
    keys: { k1: { secret: env:A }, k2: { secret: env:B, discount: 20% }, k3: { secret: env:C, prices: { house-model: { input: $1, output: $2, asOf: 2026-11-01 } } } }
  spare: { provider: openai, surcharge: 10%, keys: { s1: { secret: env:D } } }
models:
  gpt-4o: { pools: [main, spare] }
  house-model: { pools: [main, spare] }
`,
    },
    rendered: `error[PT3219]: "k2" of "main" has a discount, and no price of "house-model" is known that it could be of.
  --> providers/a.yaml:9:3
   |
 9 |   house-model: { pools: [main, spare] }
   |   ^^^^^^^^^^^
note: the discount
  --> providers/a.yaml:5:67
   |
 5 | …2: { secret: env:B, discount: 20% }, k3: { secret: env:C, prices: { house-model: { input: $1, outpu…
   |                                ---
   = help: Say what it costs: price: { input: $2.50, output: $10, asOf: 2026-11-01 }, for a million tokens; or at the pool or key, prices: { house-model: … }.

error[PT3219]: "s1" of "spare" has a surcharge, and no price of "house-model" is known that it could be of.
  --> providers/a.yaml:9:3
   |
 9 |   house-model: { pools: [main, spare] }
   |   ^^^^^^^^^^^
note: the surcharge
  --> providers/a.yaml:6:41
   |
 6 |   spare: { provider: openai, surcharge: 10%, keys: { s1: { secret: env:D } } }
   |                                         ---
   = help: Say what it costs: price: { input: $2.50, output: $10, asOf: 2026-11-01 }, for a million tokens; or at the pool or key, prices: { house-model: … }.

2 errors.
`,
  },
  {
    code: 'PT3220',
    name: 'prices of models that a pool does not serve',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'providers/a.yaml': `providers: { openai: { extends: builtin/openai } }
pools:
  main:
    provider: openai
    prices: { gpt-4o: { input: $1, output: $2, asOf: 2026-11-01 } }
    keys: { k1: { secret: env:A, pricesFrom: { gpt-4o: { 2026-12-15: { input: $1, output: $2 } }, gpt-4o-mini: {} } } }
  spare: { provider: openai, keys: { s1: { secret: env:D } } }
models:
  gpt-4o: { pools: [spare] }
  gpt-4o-mini: { pools: [main] }
`,
    },
    rendered: `error[PT3220]: "main" does not serve "gpt-4o", so what it costs there counts for nothing.
  --> providers/a.yaml:5:15
   |
 5 |     prices: { gpt-4o: { input: $1, output: $2, asOf: 2026-11-01 } }
   |               ^^^^^^
   = help: Remove the price, or let the pool serve the model: pools: [spare, main].

error[PT3220]: "main" does not serve "gpt-4o", so what it costs there counts for nothing.
  --> providers/a.yaml:6:48
   |
 6 | … secret: env:A, pricesFrom: { gpt-4o: { 2026-12-15: { input: $1, output: $2 } }, gpt-4o-mini: {} } …
   |                                ^^^^^^
   = help: Remove the price, or let the pool serve the model: pools: [spare, main].

2 errors.
`,
  },
  {
    code: 'PT3109',
    name: 'a key that costs both less and more',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'providers/a.yaml': `providers: { openai: { extends: builtin/openai } }
pools: { main: { provider: openai, keys: { k: { secret: env:A, discount: 20%, surcharge: 5% } } } }
models: { gpt-4o: { pools: [main] } }
`,
    },
    rendered: `error[PT3109]: Calls cost either less than the price of their model, or more: there is a discount and a surcharge.
  --> providers/a.yaml:2:79
   |
 2 | pools: { main: { provider: openai, keys: { k: { secret: env:A, discount: 20%, surcharge: 5% } } } }
   |                                                                               ^^^^^^^^^
   = help: Keep one of discount and surcharge.

1 error.
`,
  },
  {
    code: 'PT3218',
    name: 'a price of a key that is older than the one of now',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'providers/a.yaml': `providers: { openai: { extends: builtin/openai } }
pools:
  main:
    provider: openai
    keys:
      k:
        secret: env:A
        prices: { gpt-4o: { input: $1, output: $2, asOf: 2026-11-01 } }
        pricesFrom: { gpt-4o: { 2026-10-01: { input: $1, output: $2 } } }
models: { gpt-4o: { pools: [main] } }
`,
    },
    rendered: `error[PT3218]: The price from 2026-10-01 on would take the place of one that is from 2026-11-01.
  --> providers/a.yaml:9:33
   |
 9 |         pricesFrom: { gpt-4o: { 2026-10-01: { input: $1, output: $2 } } }
   |                                 ^^^^^^^^^^
   = help: Remove it, or say that price under pricesFrom as well.

1 error.
`,
  },
  {
    code: 'PT3219',
    name: 'the cheapest of keys whose price nobody knows',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'providers/a.yaml': `providers: { openai: { extends: builtin/openai } }
pools:
  main:
    provider: openai
    choose: cheapest
    keys:
      k1: { secret: env:A }
      k2: { secret: env:B, prices: { house-model: { input: $1, output: $2, asOf: 2026-11-01 } } }
models:
  gpt-4o: { pools: [main] }
  house-model: { pools: [main] }
  our-model: { pools: [main] }
`,
    },
    rendered: `error[PT3219]: "main" chooses the key with which a call costs least, and nobody knows what "house-model" costs with its key "k1".
  --> providers/a.yaml:11:3
   |
11 |   house-model: { pools: [main] }
   |   ^^^^^^^^^^^
note: the choice
  --> providers/a.yaml:5:13
   |
 5 |     choose: cheapest
   |             --------
   = help: Say what it costs: price: { input: $2.50, output: $10, asOf: 2026-11-01 }, for a million tokens; or at the pool or key, prices: { house-model: … }.

error[PT3219]: "main" chooses the key with which a call costs least, and nobody knows what "our-model" costs.
  --> providers/a.yaml:12:3
   |
12 |   our-model: { pools: [main] }
   |   ^^^^^^^^^
note: the choice
  --> providers/a.yaml:5:13
   |
 5 |     choose: cheapest
   |             --------
   = help: Say what it costs: price: { input: $2.50, output: $10, asOf: 2026-11-01 }, for a million tokens; or at the pool or key, prices: { our-model: … }.

2 errors.
`,
  },
  {
    code: 'PT3221',
    name: 'the cheapest of keys that cost the same',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'providers/a.yaml': `providers: { openai: { extends: builtin/openai } }
pools:
  main:
    provider: openai
    choose: cheapest
    keys: { k1: { secret: env:A, discount: 0% }, k2: { secret: env:B } }
  other: { provider: openai, choose: cheapest, keys: { k1: { secret: env:C, discount: 5% }, k2: { secret: env:D } } }
models:
  gpt-4o: { pools: [main, other] }
`,
    },
    rendered: `warning[PT3221]: With all keys of "main" calls cost the same, so that the one with the most headroom is chosen.
  --> providers/a.yaml:5:13
   |
 5 |     choose: cheapest
   |             ^^^^^^^^
   = help: Say at the keys what they cost less (discount: 20%) or more, or what they cost (prices); or remove \`choose\`.

1 warning.
`,
  },
  {
    code: 'PT3202',
    name: 'a provider called like a service',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'routes/a.yaml': `services: { openai: { endpoints: [{ url: "http://h" }] } }
`,
      'providers/a.yaml': `providers: { openai: { extends: builtin/openai } }
`,
    },
    rendered: `error[PT3202]: "openai" is the name of a service and of a provider.
  --> providers/a.yaml:1:14
   |
 1 | providers: { openai: { extends: builtin/openai } }
   |              ^^^^^^
note: the service
  --> routes/a.yaml:1:13
   |
 1 | services: { openai: { endpoints: [{ url: "http://h" }] } }
   |             ------
   = help: Give one of them another name: both are called, and are told apart by it.

1 error.
`,
  },
  {
    code: 'PT3201',
    name: 'a region in which a provider has no address',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'providers/a.yaml': `providers:
  openrouter: { extends: builtin/openrouter, region: europe }
  house: { dialect: openai, region: fr, regions: { de: "https://de.example/v1" } }
  moved: { extends: builtin/openrouter, region: europe, baseUrl: "https://europe.example/v1" }
  typo: { dialect: openai, baseUrl: "https://de.example/v1", regions: { de: "de.example" } }
`,
    },
    rendered: `error[PT3201]: builtin/openrouter has no address in the region "europe".
  --> providers/a.yaml:2:54
   |
 2 |   openrouter: { extends: builtin/openrouter, region: europe }
   |                                                      ^^^^^^
   = help: Write one of eu, us, or say where that is: baseUrl.

error[PT3201]: "house" has no address in the region "fr".
  --> providers/a.yaml:3:37
   |
 3 |   house: { dialect: openai, region: fr, regions: { de: "https://de.example/v1" } }
   |                                     ^^
   = help: Write one of de, or say where that is: baseUrl.

error[PT3113]: "de.example" is not an endpoint.
  --> providers/a.yaml:5:77
   |
 5 |   typo: { dialect: openai, baseUrl: "https://de.example/v1", regions: { de: "de.example" } }
   |                                                                             ^^^^^^^^^^^^
   = help: Write it like http://127.0.0.1:9001 or https://orders.example.com/api.

3 errors.
`,
  },
  {
    code: 'PT3201',
    name: 'names that no file of providers defines',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'providers/a.yaml': `providers:
  openai: { extends: builtin/opanai }
  anthropic: { extends: builtin/anthropic, prices: antropic }
pools:
  main:
    provider: anthropc
    keys:
      k: { secret: env:A, limits: { models: { claude-sonet: { rpm: 1 } } } }
`,
      'providers/b.yaml': `models:
  claude-sonnet: { pools: [mian] }
`,
    },
    rendered: `error[PT3201]: There is no shipped description "builtin/opanai".
  --> providers/a.yaml:2:22
   |
 2 |   openai: { extends: builtin/opanai }
   |                      ^^^^^^^^^^^^^^
   = help: Did you mean "builtin/openai"?

error[PT3201]: There is no provider in the catalogue of prices "antropic".
  --> providers/a.yaml:3:52
   |
 3 |   anthropic: { extends: builtin/anthropic, prices: antropic }
   |                                                    ^^^^^^^^
   = help: Did you mean "anthropic"?

error[PT3201]: There is no provider "anthropc".
  --> providers/a.yaml:6:15
   |
 6 |     provider: anthropc
   |               ^^^^^^^^
   = help: Did you mean "anthropic"?

error[PT3201]: There is no model "claude-sonet".
  --> providers/a.yaml:8:47
   |
 8 |       k: { secret: env:A, limits: { models: { claude-sonet: { rpm: 1 } } } }
   |                                               ^^^^^^^^^^^^
   = help: Did you mean "claude-sonnet"?

error[PT3201]: There is no pool "mian".
  --> providers/b.yaml:2:28
   |
 2 |   claude-sonnet: { pools: [mian] }
   |                            ^^^^
   = help: Did you mean "main"?

5 errors.
`,
  },
  {
    code: 'PT3102',
    name: 'a provider that extends nothing and lacks what it needs',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'providers/a.yaml': `providers: { house: { region: eu } }
`,
    },
    rendered: `error[PT3102]: "house" lacks the field "dialect".
  --> providers/a.yaml:1:14
   |
 1 | providers: { house: { region: eu } }
   |              ^^^^^
   = help: Add \`dialect:\` – openai, or anthropic.

error[PT3102]: "house" lacks the field "baseUrl".
  --> providers/a.yaml:1:14
   |
 1 | providers: { house: { region: eu } }
   |              ^^^^^
   = help: Add \`baseUrl:\` – the URL that the paths of all calls are put behind.

2 errors.
`,
  },
  {
    code: 'PT3401',
    name: 'the key of a provider itself',
    texts: {
      'portunus.yaml': `portunus: 1
`,
      'providers/a.yaml': `providers: { openai: { extends: builtin/openai } }
pools:
  main: { provider: openai, keys: { k: { secret: my-own-secret-4711 } } }
`,
    },
    rendered: `error[PT3401]: This is no reference to a secret, and may be the secret itself.
  --> providers/a.yaml:3:50
   |
 3 |   main: { provider: openai, keys: { k: { secret: •••••••••••••••••• } } }
   |                                                  ^^^^^^^^^^^^^^^^^^
   = help: Write env:NAME, file:PATH or store:NAME, and put the secret there.

1 error.
`,
  },
];
