/**
 * Everything an answer can be refused for, with the rule it breaks. The parser reports the name; the text goes into
 * `UpstreamError.detail`. Where a recipient may be lenient, this one is not, unless the case table says otherwise.
 */
export const ANSWER_FAULTS = {
  status_line: 'the answer does not begin with an HTTP status line (RFC 9112, 4)',
  http_version: 'the answer is neither HTTP/1.0 nor HTTP/1.1 (RFC 9112, 2.3)',
  status_code: 'the status code is not three digits from 100 to 599 (RFC 9110, 15)',
  reason_phrase: 'the reason phrase holds a control character (RFC 9112, 4)',
  space_before_fields: 'white space between status line and first field (RFC 9112, 2.2)',
  obsolete_folding: 'a field value is folded over several lines (RFC 9112, 5.2)',
  field_name: 'a field name is empty or holds a character that is not allowed (RFC 9110, 5.1)',
  space_before_colon: 'white space between field name and colon (RFC 9112, 5.1)',
  field_value: 'a field value holds a control character (RFC 9110, 5.5)',
  bare_carriage_return: 'a carriage return without line feed (RFC 9112, 2.2)',
  bare_line_feed: 'a line ends without carriage return (RFC 9112, 2.2)',
  content_length: 'Content-Length is not a decimal number below 2^53 (RFC 9110, 8.6)',
  content_length_repeated: 'more than one Content-Length (RFC 9112, 6.3)',
  transfer_coding: 'a transfer coding other than a single "chunked" (RFC 9112, 6.1)',
  length_and_coding: 'both Content-Length and Transfer-Encoding (RFC 9112, 6.3)',
  coding_in_http_1_0: 'Transfer-Encoding in an HTTP/1.0 answer (RFC 9112, 6.1)',
  interim_in_http_1_0: 'an interim answer in HTTP/1.0 (RFC 9110, 15.2)',
  switching_protocols: '101 although no upgrade was asked for (RFC 9110, 15.2.2)',
  head_too_large: 'status line and fields are larger than limits.responseHeaderBytes',
  chunk_size: 'a chunk size is not a hexadecimal number below 2^53 (RFC 9112, 7.1)',
  chunk_extension: 'a chunk extension is malformed (RFC 9112, 7.1.1)',
  chunk_extension_too_large: 'a chunk extension is larger than limits.responseHeaderBytes',
  chunk_end: 'chunk data is not followed by CRLF (RFC 9112, 7.1)',
  trailer: 'a trailer field is malformed (RFC 9112, 7.1.2)',
  trailers_too_large: 'the trailer section is larger than limits.responseHeaderBytes',
} as const;

export type AnswerFault = keyof typeof ANSWER_FAULTS;

/** Faults of size rather than of form: reported as `upstream_header_too_large`. */
export const SIZE_FAULTS: ReadonlySet<AnswerFault> = new Set<AnswerFault>([
  'head_too_large',
  'chunk_extension_too_large',
  'trailers_too_large',
]);
