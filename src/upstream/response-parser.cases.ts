import type { AnswerFault } from './answer-faults.ts';

/** One answer on the wire, the rule it is about, and what the parser has to make of it. */
export interface ParserCase {
  readonly name: string;
  /** RFC and section. */
  readonly rule: string;
  readonly method?: 'GET' | 'HEAD';
  /** Latin-1. */
  readonly wire: string;
  readonly expected: ParserExpectation;
}

export type ParserExpectation =
  | { readonly fault: AnswerFault }
  /** The peer closed, or would have to, before the answer was whole. */
  | { readonly cut: 'before-head' | 'in-body' }
  | {
      readonly status: number;
      readonly fields?: readonly string[];
      readonly body?: string;
      readonly bodyBytes?: number;
      readonly reusable: boolean;
    };

const OK = 'HTTP/1.1 200 OK\r\n';
const EMPTY = 'content-length: 0\r\n\r\n';
const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n`;

export const PARSER_CASES: readonly ParserCase[] = [
  // -- status line
  row('a plain answer', '9112 2.1', `${OK}a: b\r\ncontent-length: 2\r\n\r\nhi`, {
    status: 200,
    fields: ['a', 'b'],
    body: 'hi',
    bodyBytes: 2,
    reusable: true,
  }),
  row('no reason phrase', '9112 4', `HTTP/1.1 200 \r\n${EMPTY}`, { status: 200, reusable: true }),
  row('neither reason phrase nor its space', '9112 4', `HTTP/1.1 200\r\n${EMPTY}`, {
    status: 200,
    reusable: true,
  }),
  row('obs-text in the reason phrase', '9112 4', `HTTP/1.1 200 d\xe9j\xe0 vu\r\n${EMPTY}`, {
    status: 200,
    reusable: true,
  }),
  row('a control character in the reason phrase', '9112 4', `HTTP/1.1 200 O\x01K\r\n${EMPTY}`, {
    fault: 'reason_phrase',
  }),
  row('NUL in the reason phrase', '9112 4', `HTTP/1.1 200 O\0K\r\n${EMPTY}`, { fault: 'reason_phrase' }),
  row('another protocol', '9112 4', 'SSH-2.0-OpenSSH_9.2\r\n', { fault: 'status_line' }),
  row('a lower-case protocol name', '9112 2.3', `http/1.1 200 OK\r\n${EMPTY}`, { fault: 'status_line' }),
  row('an empty line before the status line', '9112 2.2', `\r\n${OK}${EMPTY}`, { fault: 'status_line' }),
  row('a space before the status line', '9112 4', ` ${OK}${EMPTY}`, { fault: 'status_line' }),
  row('HTTP/2.0', '9112 2.3', `HTTP/2.0 200 OK\r\n${EMPTY}`, { fault: 'http_version' }),
  row('HTTP/1.2', '9112 2.3', `HTTP/1.2 200 OK\r\n${EMPTY}`, { fault: 'http_version' }),
  row('HTTP/1.10', '9112 2.3', `HTTP/1.10 200 OK\r\n${EMPTY}`, { fault: 'http_version' }),
  row('no version at all (HTTP/0.9)', '9112 2.3', '<html>', { fault: 'status_line' }),
  row('two spaces before the code', '9112 4', `HTTP/1.1  200 OK\r\n${EMPTY}`, { fault: 'status_code' }),
  row('a tab before the code', '9112 4', `HTTP/1.1\t200 OK\r\n${EMPTY}`, { fault: 'http_version' }),
  row('a code of two digits', '9112 4', `HTTP/1.1 20 OK\r\n${EMPTY}`, { fault: 'status_code' }),
  row('a code of four digits', '9112 4', `HTTP/1.1 2000 OK\r\n${EMPTY}`, { fault: 'status_code' }),
  row('a code below 100', '9110 15', `HTTP/1.1 099 OK\r\n${EMPTY}`, { fault: 'status_code' }),
  row('a code above 599', '9110 15', `HTTP/1.1 600 OK\r\n${EMPTY}`, { fault: 'status_code' }),
  row('a signed code', '9112 4', `HTTP/1.1 +20 OK\r\n${EMPTY}`, { fault: 'status_code' }),
  row('a status line that ends early', '9112 4', 'HTTP/1.1\r\n\r\n', { fault: 'http_version' }),
  row('a status line with a bare LF', '9112 2.2', `HTTP/1.1 200 OK\n${EMPTY}`, { fault: 'bare_line_feed' }),
  row('a bare LF right after the code', '9112 2.2', `HTTP/1.1 200\n${EMPTY}`, { fault: 'bare_line_feed' }),
  row('a bare CR in the status line', '9112 2.2', `HTTP/1.1 200 O\rK\r\n${EMPTY}`, {
    fault: 'bare_carriage_return',
  }),
  // -- fields
  row(
    'names are lower-cased, order and repetition kept',
    '9110 5.3',
    `${OK}X-B: 1\r\nx-A: 2\r\nX-b: 3\r\n${EMPTY}`,
    {
      status: 200,
      fields: ['x-b', '1', 'x-a', '2', 'x-b', '3'],
      reusable: true,
    },
  ),
  row('a known name in capitals', '9110 5.1', `${OK}CONTENT-TYPE: Text/Plain\r\n${EMPTY}`, {
    status: 200,
    fields: ['content-type', 'Text/Plain'],
    reusable: true,
  }),
  row('white space around a value', '9112 5.1', `${OK}a:\t  b c \t\r\n${EMPTY}`, {
    status: 200,
    fields: ['a', 'b c'],
    reusable: true,
  }),
  row('no white space before a value', '9112 5.1', `${OK}a:b\r\n${EMPTY}`, {
    status: 200,
    fields: ['a', 'b'],
    reusable: true,
  }),
  row('an empty value', '9110 5.5', `${OK}a:\r\nb: \r\n${EMPTY}`, {
    status: 200,
    fields: ['a', '', 'b', ''],
    reusable: true,
  }),
  row('obs-text in a value', '9110 5.5', `${OK}a: \xe4\xff\r\n${EMPTY}`, {
    status: 200,
    fields: ['a', '\xe4\xff'],
    reusable: true,
  }),
  row('colons in a value', '9112 5', `${OK}a: b:c: d\r\n${EMPTY}`, {
    status: 200,
    fields: ['a', 'b:c: d'],
    reusable: true,
  }),
  row('every tchar in a name', '9110 5.6.2', `${OK}!#$%&'*+-.^_\`|~09azAZ: b\r\n${EMPTY}`, {
    status: 200,
    fields: ["!#$%&'*+-.^_`|~09azaz", 'b'],
    reusable: true,
  }),
  row('white space before the colon', '9112 5.1', `${OK}a : b\r\n${EMPTY}`, { fault: 'space_before_colon' }),
  row('white space before the colon of the length', '9112 5.1', `${OK}Content-Length : 5\r\n\r\nhello`, {
    fault: 'space_before_colon',
  }),
  row('white space before the first field', '9112 2.2', `${OK} a: b\r\n${EMPTY}`, {
    fault: 'space_before_fields',
  }),
  row('a folded value', '9112 5.2', `${OK}a: b\r\n c\r\n${EMPTY}`, { fault: 'obsolete_folding' }),
  row('a value folded with a tab', '9112 5.2', `${OK}a: b\r\n\tc\r\n${EMPTY}`, { fault: 'obsolete_folding' }),
  row('an empty name', '9110 5.1', `${OK}: b\r\n${EMPTY}`, { fault: 'field_name' }),
  row('a line without colon', '9112 5', `${OK}junk\r\n${EMPTY}`, { fault: 'field_name' }),
  row('a name with obs-text', '9110 5.1', `${OK}n\xe4me: b\r\n${EMPTY}`, { fault: 'field_name' }),
  row('a name with a slash', '9110 5.1', `${OK}a/b: c\r\n${EMPTY}`, { fault: 'field_name' }),
  row('NUL in a name', '9110 5.1', `${OK}a\0: b\r\n${EMPTY}`, { fault: 'field_name' }),
  row('NUL in a value', '9110 5.5', `${OK}a: b\0c\r\n${EMPTY}`, { fault: 'field_value' }),
  row('DEL in a value', '9110 5.5', `${OK}a: b\x7fc\r\n${EMPTY}`, { fault: 'field_value' }),
  row('a control character in a value', '9110 5.5', `${OK}a: b\x1bc\r\n${EMPTY}`, { fault: 'field_value' }),
  row('a bare LF in a value', '9112 2.2', `${OK}a: b\nc: d\r\n${EMPTY}`, { fault: 'bare_line_feed' }),
  row('a bare LF after a name', '9112 2.2', `${OK}a\n: b\r\n${EMPTY}`, { fault: 'bare_line_feed' }),
  row('a bare CR in a value', '9112 2.2', `${OK}a: b\rc\r\n${EMPTY}`, { fault: 'bare_carriage_return' }),
  row('an empty line of LF alone', '9112 2.2', `${OK}a: b\r\n\nbody`, { fault: 'bare_line_feed' }),
  row('an empty line of CR alone', '9112 2.2', `${OK}a: b\r\n\rbody`, { fault: 'bare_carriage_return' }),
  // -- hop-by-hop
  row(
    'fields of this hop are not passed on',
    '9110 7.6.1',
    `${OK}Connection: keep-alive\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\nTE: x\r\nTrailer: x\r\n` +
      `Upgrade: h2c\r\nProxy-Authenticate: x\r\nDate: now\r\na: b\r\n${EMPTY}`,
    { status: 200, fields: ['a', 'b'], reusable: true },
  ),
  row(
    'fields that Connection names',
    '9110 7.6.1',
    `${OK}x-hop: 1\r\nConnection: X-Hop, b\r\nB: 2\r\nc: 3\r\n${EMPTY}`,
    {
      status: 200,
      fields: ['c', '3'],
      reusable: true,
    },
  ),
  row(
    'two Connection fields',
    '9110 7.6.1',
    `${OK}Connection: b\r\nConnection: c,close\r\nB: 2\r\nc: 3\r\n${EMPTY}`,
    {
      status: 200,
      fields: [],
      reusable: false,
    },
  ),
  // -- framing
  row('Connection: close', '9112 9.3', `${OK}Connection: Close\r\n${EMPTY}`, {
    status: 200,
    reusable: false,
  }),
  row('HTTP/1.0 closes', '9112 9.3', `HTTP/1.0 200 OK\r\n${EMPTY}`, { status: 200, reusable: false }),
  row('HTTP/1.0 with keep-alive stays', '9112 9.3', `HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n${EMPTY}`, {
    status: 200,
    reusable: true,
  }),
  row('close beats keep-alive', '9112 9.3', `${OK}Connection: keep-alive, close\r\n${EMPTY}`, {
    status: 200,
    reusable: false,
  }),
  row('a body up to the close', '9112 6.3 (8)', `${OK}\r\nall the rest`, {
    status: 200,
    body: 'all the rest',
    bodyBytes: -1,
    reusable: false,
  }),
  row('an empty body up to the close', '9112 6.3 (8)', `${OK}\r\n`, {
    status: 200,
    body: '',
    reusable: false,
  }),
  row(
    'a HEAD answer has no body',
    '9112 6.3 (1)',
    `${OK}content-length: 5\r\n\r\n`,
    {
      status: 200,
      body: '',
      bodyBytes: 5,
      reusable: true,
    },
    'HEAD',
  ),
  row(
    'a chunked HEAD answer has no body',
    '9112 6.3 (1)',
    CHUNKED,
    { status: 200, body: '', reusable: true },
    'HEAD',
  ),
  row(
    'a HEAD answer with a body',
    '9112 6.3 (1)',
    `${OK}content-length: 5\r\n\r\nhello`,
    {
      status: 200,
      body: '',
      reusable: false,
    },
    'HEAD',
  ),
  row('204 has no body', '9112 6.3 (1)', 'HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n', {
    status: 204,
    body: '',
    bodyBytes: -1,
    reusable: true,
  }),
  row('304 has no body', '9112 6.3 (1)', 'HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n', {
    status: 304,
    body: '',
    bodyBytes: 5,
    reusable: true,
  }),
  row('junk after a complete answer', '9112 9.2', `${OK}content-length: 2\r\n\r\nhijunk`, {
    status: 200,
    body: 'hi',
    reusable: false,
  }),
  row('a second answer nobody asked for', '9112 9.2', `${OK}${EMPTY}${OK}${EMPTY}`, {
    status: 200,
    body: '',
    reusable: false,
  }),
  row('a body that is cut', '9112 8', `${OK}content-length: 5\r\n\r\nhel`, { cut: 'in-body' }),
  row('a head that is cut', '9112 8', `${OK}content-le`, { cut: 'before-head' }),
  row('a head that is cut after a field', '9112 8', `${OK}a: b\r\n`, { cut: 'before-head' }),
  row('nothing at all', '9112 8', '', { cut: 'before-head' }),
  // -- Content-Length
  row('leading zeros', '9110 8.6', `${OK}content-length: 0002\r\n\r\nhi`, {
    status: 200,
    body: 'hi',
    reusable: true,
  }),
  row('an empty length', '9110 8.6', `${OK}content-length:\r\n\r\n`, { fault: 'content_length' }),
  row('a positive sign', '9110 8.6', `${OK}content-length: +5\r\n\r\nhello`, { fault: 'content_length' }),
  row('a negative length', '9110 8.6', `${OK}content-length: -5\r\n\r\nhello`, { fault: 'content_length' }),
  row('a hexadecimal length', '9110 8.6', `${OK}content-length: 0x5\r\n\r\nhello`, {
    fault: 'content_length',
  }),
  row('a fraction', '9110 8.6', `${OK}content-length: 5.0\r\n\r\nhello`, { fault: 'content_length' }),
  row('white space inside', '9110 8.6', `${OK}content-length: 5 5\r\n\r\nhello`, { fault: 'content_length' }),
  row('2^53', '9110 8.6', `${OK}content-length: 9007199254740992\r\n\r\n`, { fault: 'content_length' }),
  row('2^64 + 5', '9110 8.6', `${OK}content-length: 18446744073709551621\r\n\r\nhello`, {
    fault: 'content_length',
  }),
  row('two different lengths', '9112 6.3 (5)', `${OK}content-length: 5\r\ncontent-length: 6\r\n\r\nhello`, {
    fault: 'content_length_repeated',
  }),
  row('two equal lengths', '9112 6.3 (5)', `${OK}content-length: 5\r\ncontent-length: 5\r\n\r\nhello`, {
    fault: 'content_length_repeated',
  }),
  row('a list of equal lengths', '9110 8.6', `${OK}content-length: 5, 5\r\n\r\nhello`, {
    fault: 'content_length',
  }),
  // -- Transfer-Encoding
  row(
    'length and coding',
    '9112 6.3 (3)',
    `${OK}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    {
      fault: 'length_and_coding',
    },
  ),
  row(
    'coding and length',
    '9112 6.3 (3)',
    `${OK}transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n`,
    {
      fault: 'length_and_coding',
    },
  ),
  row('a coding in HTTP/1.0', '9112 6.1', 'HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n', {
    fault: 'coding_in_http_1_0',
  }),
  row('identity', '9112 7', `${OK}transfer-encoding: identity\r\n\r\n`, { fault: 'transfer_coding' }),
  row('gzip, chunked', '9112 6.1', `${OK}transfer-encoding: gzip, chunked\r\n\r\n`, {
    fault: 'transfer_coding',
  }),
  row('chunked, identity', '9112 6.3 (4)', `${OK}transfer-encoding: chunked, identity\r\n\r\n`, {
    fault: 'transfer_coding',
  }),
  row('chunked twice', '9112 6.1', `${OK}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n`, {
    fault: 'transfer_coding',
  }),
  row('xchunked', '9112 6.1', `${OK}transfer-encoding: xchunked\r\n\r\n`, { fault: 'transfer_coding' }),
  row('an empty coding', '9112 6.1', `${OK}transfer-encoding:\r\n\r\n`, { fault: 'transfer_coding' }),
  row('a coding with a vertical tab', '9112 6.1', `${OK}transfer-encoding: \x0bchunked\r\n\r\n`, {
    fault: 'field_value',
  }),
  row('CHUNKED', '9112 7', `${OK}Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n`, {
    status: 200,
    body: '',
    reusable: true,
  }),
  // -- chunks
  row('several chunks', '9112 7.1', `${CHUNKED}3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n`, {
    status: 200,
    body: 'abc0123456789',
    bodyBytes: -1,
    reusable: true,
  }),
  row('leading zeros and capitals in a size', '9112 7.1', `${CHUNKED}00a\r\n0123456789\r\n000\r\n\r\n`, {
    status: 200,
    body: '0123456789',
    reusable: true,
  }),
  row('CRLF inside chunk data', '9112 7.1', `${CHUNKED}4\r\n\r\n\r\n\r\n0\r\n\r\n`, {
    status: 200,
    body: '\r\n\r\n',
    reusable: true,
  }),
  row('extensions', '9112 7.1.1', `${CHUNKED}2;a;b=c;d="e;\\"\r"\r\nhi\r\n0\r\n\r\n`, {
    fault: 'chunk_extension',
  }),
  row(
    'extensions of every form',
    '9112 7.1.1',
    `${CHUNKED}2 ; a;b=c ; d = "e;=\\"f"\t;g\r\nhi\r\n0;z=1\r\n\r\n`,
    {
      status: 200,
      body: 'hi',
      reusable: true,
    },
  ),
  row('an empty extension', '9112 7.1.1', `${CHUNKED}2;\r\nhi\r\n0\r\n\r\n`, { fault: 'chunk_extension' }),
  row('an extension without value', '9112 7.1.1', `${CHUNKED}2;a=\r\nhi\r\n0\r\n\r\n`, {
    fault: 'chunk_extension',
  }),
  row('a bare LF in an extension', '9112 7.1.1', `${CHUNKED}2;a\nhi\r\n0\r\n\r\n`, {
    fault: 'bare_line_feed',
  }),
  row('NUL in an extension', '9112 7.1.1', `${CHUNKED}2;a\0\r\nhi\r\n0\r\n\r\n`, {
    fault: 'chunk_extension',
  }),
  row('white space after a size', '9112 7.1', `${CHUNKED}2 \r\nhi\r\n0\r\n\r\n`, {
    fault: 'chunk_extension',
  }),
  row('white space before a size', '9112 7.1', `${CHUNKED} 2\r\nhi\r\n0\r\n\r\n`, { fault: 'chunk_size' }),
  row('no size', '9112 7.1', `${CHUNKED}\r\nhi\r\n0\r\n\r\n`, { fault: 'chunk_size' }),
  row('a signed size', '9112 7.1', `${CHUNKED}+2\r\nhi\r\n0\r\n\r\n`, { fault: 'chunk_size' }),
  row('a negative size', '9112 7.1', `${CHUNKED}-2\r\nhi\r\n0\r\n\r\n`, { fault: 'chunk_size' }),
  row('0x in a size', '9112 7.1', `${CHUNKED}0x2\r\nhi\r\n0\r\n\r\n`, { fault: 'chunk_size' }),
  row('an underscore in a size', '9112 7.1', `${CHUNKED}0_2\r\nhi\r\n0\r\n\r\n`, { fault: 'chunk_size' }),
  row('a size of 2^53', '9112 7.1', `${CHUNKED}20000000000000\r\nhi\r\n0\r\n\r\n`, { fault: 'chunk_size' }),
  row('a size that wraps at 2^64', '9112 7.1', `${CHUNKED}10000000000000002\r\nhi\r\n0\r\n\r\n`, {
    fault: 'chunk_size',
  }),
  row('a size line with a bare LF', '9112 7.1', `${CHUNKED}2\nhi\r\n0\r\n\r\n`, { fault: 'bare_line_feed' }),
  row('a size line with a bare CR', '9112 7.1', `${CHUNKED}2\rhi\r\n0\r\n\r\n`, {
    fault: 'bare_carriage_return',
  }),
  row('data longer than its size', '9112 7.1', `${CHUNKED}2\r\nhix\r\n0\r\n\r\n`, { fault: 'chunk_end' }),
  row('data shorter than its size', '9112 7.1', `${CHUNKED}5\r\nhi\r\n0\r\n\r\n`, { fault: 'chunk_size' }),
  row('data ended by a bare LF', '9112 7.1', `${CHUNKED}2\r\nhi\n0\r\n\r\n`, { fault: 'chunk_end' }),
  row('data ended by a bare CR', '9112 7.1', `${CHUNKED}2\r\nhi\r0\r\n\r\n`, { fault: 'chunk_end' }),
  row('cut in a chunk', '9112 8', `${CHUNKED}5\r\nhe`, { cut: 'in-body' }),
  row('cut before the last chunk', '9112 8', `${CHUNKED}2\r\nhi\r\n`, { cut: 'in-body' }),
  row('cut after the last chunk', '9112 8', `${CHUNKED}2\r\nhi\r\n0\r\n`, { cut: 'in-body' }),
  row('trailers', '9112 7.1.2', `${CHUNKED}2\r\nhi\r\n0\r\nA: b\r\nc:\r\n\r\n`, {
    status: 200,
    fields: [],
    body: 'hi',
    reusable: true,
  }),
  row('a malformed trailer', '9112 7.1.2', `${CHUNKED}0\r\njunk\r\n\r\n`, { fault: 'trailer' }),
  row('a trailer with white space before the colon', '9112 5.1', `${CHUNKED}0\r\na : b\r\n\r\n`, {
    fault: 'trailer',
  }),
  row('a folded trailer', '9112 5.2', `${CHUNKED}0\r\na: b\r\n c\r\n\r\n`, { fault: 'trailer' }),
  row('a trailer with a bare LF', '9112 2.2', `${CHUNKED}0\r\na: b\n\r\n`, { fault: 'bare_line_feed' }),
  row('trailers ended by a bare LF', '9112 2.2', `${CHUNKED}0\r\n\n`, { fault: 'bare_line_feed' }),
  row('trailers ended by a bare CR', '9112 2.2', `${CHUNKED}0\r\n\rx`, { fault: 'bare_carriage_return' }),
  row('junk after the trailers', '9112 9.2', `${CHUNKED}0\r\n\r\njunk`, {
    status: 200,
    body: '',
    reusable: false,
  }),
  // -- 1xx
  row('100 before the answer', '9110 15.2', `HTTP/1.1 100 Continue\r\n\r\n${OK}${EMPTY}`, {
    status: 200,
    fields: [],
    reusable: true,
  }),
  row(
    '102 and 103 with fields, and a length that means nothing',
    '9112 6.3 (1)',
    `HTTP/1.1 102 Processing\r\ncontent-length: 9\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${OK}a: b\r\n${EMPTY}`,
    { status: 200, fields: ['a', 'b'], reusable: true },
  ),
  row('101 that nobody asked for', '9110 15.2.2', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n', {
    fault: 'switching_protocols',
  }),
  row('an interim answer in HTTP/1.0', '9110 15.2', `HTTP/1.0 103 Early\r\n\r\n${OK}${EMPTY}`, {
    fault: 'interim_in_http_1_0',
  }),
  row('1xx and then the end', '9110 15.2', 'HTTP/1.1 100 Continue\r\n\r\n', { cut: 'before-head' }),
];

function row(
  name: string,
  rule: string,
  wire: string,
  expected: ParserExpectation,
  method: 'GET' | 'HEAD' = 'GET',
): ParserCase {
  return { name, rule: `RFC ${rule}`, wire, expected, method };
}
