import type { JsonFaultCode } from './faults.ts';
import type { JsonBounds } from './reading-head.ts';

/** One text, the rule it is about, and what the scanner has to make of it. */
export interface ScanCase {
  readonly name: string;
  /** RFC and section. */
  readonly rule: string;
  /** Latin-1: each character is one byte. */
  readonly bytes: string;
  readonly bounds?: Partial<JsonBounds>;
  readonly expected: ScanExpectation;
}

export type ScanExpectation =
  | { readonly value: unknown }
  | { readonly fault: JsonFaultCode; readonly offset: number };

export const CASE_BOUNDS: JsonBounds = {
  bytesMax: 1_000,
  depthMax: 4,
  nodesMax: 40,
  membersMax: 12,
  stringBytesMax: 64,
  numberBytesMax: 400,
};

/** Nine names and more are looked at by sorting, fewer pair by pair: both ways need their rows. */
const EIGHT = '"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1';

export const SCAN_CASES: readonly ScanCase[] = [
  // -- the text as a whole
  fault('nothing', '8259 2', '', 'empty', 0),
  fault('white space alone', '8259 2', ' \t\r\n', 'empty', 4),
  value('white space around', '8259 2', ' \t\r\n1 \t\r\n', 1),
  fault('a no-break space before', '8259 2', '\xc2\xa01', 'value_expected', 0),
  fault('a form feed', '8259 2', '\f1', 'value_expected', 0),
  fault('a vertical tab behind', '8259 2', '1\v', 'trailing_data', 1),
  fault('a byte order mark', '8259 8.1', '\xef\xbb\xbf{}', 'byte_order_mark', 0),
  fault('a byte order mark alone', '8259 8.1', '\xef\xbb\xbf', 'byte_order_mark', 0),
  fault('a byte order mark later on', '8259 8.1', ' \xef\xbb\xbf1', 'value_expected', 1),
  fault('UTF-16, little-endian', '8259 8.1', '{\0"\0', 'name_expected', 1),
  fault('UTF-16 with its mark', '8259 8.1', '\xff\xfe{\0', 'value_expected', 0),
  fault('two values', '8259 2', '{} {}', 'trailing_data', 3),
  fault('a line of NDJSON more', '8259 2', '{"a":1}\n{"a":2}', 'trailing_data', 8),
  fault('a NUL behind', '8259 2', '{}\0', 'trailing_data', 2),
  fault('a comma behind', '8259 2', '1,', 'trailing_data', 1),
  fault('a closing brace too many', '8259 2', '{}}', 'trailing_data', 2),
  fault('a comment before', '8259 2', '/**/1', 'value_expected', 0),
  fault('a comment behind', '8259 2', '1//', 'trailing_data', 1),
  fault('a prefix against hijacking', '8259 2', ")]}',\n1", 'value_expected', 0),

  // -- values and literals
  value('true', '8259 3', 'true', true),
  value('false', '8259 3', 'false', false),
  value('null', '8259 3', 'null', null),
  fault('a capital letter', '8259 3', 'True', 'unknown_literal', 0),
  fault('None', '8259 3', '[1,None]', 'unknown_literal', 3),
  fault('undefined', '8259 3', 'undefined', 'unknown_literal', 0),
  fault('a literal cut short', '8259 3', 'tru', 'unknown_literal', 0),
  fault('a literal with more behind', '8259 3', 'nullx', 'unknown_literal', 0),
  fault('two literals without a gap', '8259 3', '[truefalse]', 'unknown_literal', 1),
  fault('a digit behind a literal', '8259 3', '[true1]', 'item_separator', 5),
  fault('NaN', '8259 6', 'NaN', 'unknown_literal', 0),
  fault('Infinity', '8259 6', '[Infinity]', 'unknown_literal', 1),
  fault('-Infinity', '8259 6', '-Infinity', 'number_syntax', 0),
  fault('single quotes', '8259 7', "'a'", 'value_expected', 0),

  // -- objects
  value('no members', '8259 4', '{ }', {}),
  value('members', '8259 4', '{ "a" : 1 , "b" : {"c":[]} }', { a: 1, b: { c: [] } }),
  value('a name without characters', '8259 4', '{"":1}', { '': 1 }),
  fault('a name without quotes', '8259 4', '{a:1}', 'name_expected', 1),
  fault('a number as name', '8259 4', '{1:1}', 'name_expected', 1),
  fault('a comma at the end', '8259 4', '{"a":1,}', 'name_expected', 7),
  fault('a comma alone', '8259 4', '{,}', 'name_expected', 1),
  fault('two commas', '8259 4', '{"a":1,,"b":2}', 'name_expected', 7),
  fault('no colon', '8259 4', '{"a" 1}', 'colon_expected', 5),
  fault('an equals sign', '8259 4', '{"a"=1}', 'colon_expected', 4),
  fault('two colons', '8259 4', '{"a"::1}', 'value_expected', 5),
  fault('no value', '8259 4', '{"a":}', 'value_expected', 5),
  fault('no comma', '8259 4', '{"a":1 "b":2}', 'member_separator', 7),
  fault('a bracket for a brace', '8259 4', '{"a":1]', 'member_separator', 6),
  fault('an object cut after its brace', '8259 2', '{', 'cut_short', 1),
  fault('an object cut after a name', '8259 2', '{"a"', 'cut_short', 4),
  fault('an object cut after a colon', '8259 2', '{"a": ', 'cut_short', 6),
  fault('an object cut after a value', '8259 2', '{"a":1', 'cut_short', 6),
  fault('an object cut after a comma', '8259 2', '{"a":1,', 'cut_short', 7),

  // -- names
  fault('a name twice', '7493 2.3', '{"model":"small","model":"big"}', 'duplicate_name', 17),
  fault('a name twice, once escaped', '7493 2.3', '{"a":1,"\\u0061":2}', 'duplicate_name', 7),
  fault('a slash escaped and not', '7493 2.3', '{"\\/":1,"/":2}', 'duplicate_name', 8),
  fault('a control escaped two ways', '7493 2.3', '{"\\n":1,"\\u000A":2}', 'duplicate_name', 8),
  fault('\\b and \\u0008', '7493 2.3', '{"\\b":1,"\\u0008":2}', 'duplicate_name', 8),
  fault('\\f and \\u000c', '7493 2.3', '{"\\f":1,"\\u000c":2}', 'duplicate_name', 8),
  fault('\\r and \\u000d', '7493 2.3', '{"\\r":1,"\\u000d":2}', 'duplicate_name', 8),
  fault('\\t and \\u0009', '7493 2.3', '{"\\t":1,"\\u0009":2}', 'duplicate_name', 8),
  fault('a quote escaped two ways', '7493 2.3', '{"\\"":1,"\\u0022":2}', 'duplicate_name', 8),
  fault('a backslash escaped two ways', '7493 2.3', '{"\\\\":1,"\\u005c":2}', 'duplicate_name', 8),
  fault('UTF-8 and an escape', '7493 2.3', '{"\xc3\xa9":1,"\\u00e9":2}', 'duplicate_name', 8),
  fault(
    'UTF-8 and two escapes',
    '7493 2.3',
    '{"\xf0\x9f\x98\x80":1,"\\ud83d\\uDE00":2}',
    'duplicate_name',
    10,
  ),
  fault('the empty name twice', '7493 2.3', '{"":1,"":2}', 'duplicate_name', 6),
  fault('a name twice inside', '7493 2.3', '[{"x":{"a":1,"b":2,"a":3}}]', 'duplicate_name', 19),
  fault('the same value twice', '7493 2.3', '{"a":1,"a":1}', 'duplicate_name', 7),
  fault('three times: the second is told', '7493 2.3', '{"a":1,"a":2,"a":3}', 'duplicate_name', 7),
  fault('two pairs: the earlier is told', '7493 2.3', '{"b":1,"a":2,"a":3,"b":4}', 'duplicate_name', 13),
  fault('a name twice among many', '7493 2.3', `{${EIGHT},"\\u0064":2}`, 'duplicate_name', 49),
  fault('two pairs among many', '7493 2.3', `{${EIGHT},"z":1,"h":1,"a":1}`, 'duplicate_name', 55),
  value('many names, none twice', '7493 2.3', `{${EIGHT},"i":2}`, {
    a: 1,
    b: 1,
    c: 1,
    d: 1,
    e: 1,
    f: 1,
    g: 1,
    h: 1,
    i: 2,
  }),
  value('a name in two objects', '7493 2.3', '{"a":{"a":1},"b":{"a":2}}', { a: { a: 1 }, b: { a: 2 } }),
  value('names that differ in case', '8259 8.3', '{"a":1,"A":2}', { a: 1, A: 2 }),
  value('names that look alike', '8259 8.3', '{"\xc3\xa9":1,"e\xcc\x81":2}', { é: 1, 'e\u0301': 2 }),
  value('a name that begins another', '8259 8.3', '{"ab":1,"a":2}', { ab: 1, a: 2 }),
  fault('__proto__ twice', '7493 2.3', '{"__proto__":1,"__proto__":2}', 'duplicate_name', 15),

  // -- arrays
  value('no items', '8259 5', '[ ]', []),
  value('items', '8259 5', '[1, "a" ,null,[true]]', [1, 'a', null, [true]]),
  fault('a comma at the end', '8259 5', '[1,]', 'value_expected', 3),
  fault('a comma alone', '8259 5', '[,]', 'value_expected', 1),
  fault('no comma', '8259 5', '[1 2]', 'item_separator', 3),
  fault('a brace for a bracket', '8259 5', '[1}', 'item_separator', 2),
  fault('a colon', '8259 5', '["a":1]', 'item_separator', 4),
  fault('an array cut after its bracket', '8259 2', '[', 'cut_short', 1),
  fault('an array cut after an item', '8259 2', '[1', 'cut_short', 2),
  fault('an array cut after a comma', '8259 2', '[1,', 'cut_short', 3),

  // -- numbers
  value('zero', '8259 6', '0', 0),
  value('minus zero', '8259 6', '-0', -0),
  value('minus zero, with an exponent', '8259 6', '-0e9', -0),
  value('a fraction', '8259 6', '-12.50', -12.5),
  value('exponents', '8259 6', '[1e2,1E+2,1e-2,0e0,0.5e01]', [100, 100, 0.01, 0, 5]),
  fault('a leading zero', '8259 6', '[010]', 'leading_zero', 1),
  fault('a leading zero behind a minus', '8259 6', '-01', 'leading_zero', 0),
  fault('two zeros', '8259 6', '00', 'leading_zero', 0),
  fault('a plus', '8259 6', '+1', 'value_expected', 0),
  fault('no digit before the point', '8259 6', '.5', 'value_expected', 0),
  fault('no digit behind the point', '8259 6', '[1.]', 'number_syntax', 1),
  fault('no digit between point and exponent', '8259 6', '[1.e2]', 'number_syntax', 1),
  fault('no digit in the exponent', '8259 6', '[1e]', 'number_syntax', 1),
  fault('a sign alone in the exponent', '8259 6', '[1e+]', 'number_syntax', 1),
  fault('a minus alone', '8259 6', '[-]', 'number_syntax', 1),
  fault('two minuses', '8259 6', '--1', 'number_syntax', 0),
  fault('two points', '8259 6', '1.2.3', 'number_syntax', 0),
  fault('hexadecimal', '8259 6', '0x10', 'number_syntax', 0),
  fault('a suffix', '8259 6', '10n', 'number_syntax', 0),
  fault('an underscore', '8259 6', '1_000', 'number_syntax', 0),
  fault('a number cut after its minus', '8259 2', '-', 'cut_short', 1),
  fault('a number cut after its point', '8259 2', '1.', 'cut_short', 2),
  fault('a number cut after its e', '8259 2', '1e', 'cut_short', 2),
  value('the largest safe integer', '7493 2.2', '9007199254740991', 9007199254740991),
  value('the least safe integer', '7493 2.2', '-9007199254740991', -9007199254740991),
  value('sixteen digits, well below', '7493 2.2', '1999999999999999', 1999999999999999),
  fault('2^53', '7493 2.2', '9007199254740992', 'integer_range', 0),
  fault('-2^53', '7493 2.2', '[-9007199254740992]', 'integer_range', 1),
  fault('2^53 + 1, which a double can not hold', '7493 2.2', '9007199254740993', 'integer_range', 0),
  fault('seventeen digits', '7493 2.2', '[-10000000000000000]', 'integer_range', 1),
  fault('the largest 64-bit integer', '7493 2.2', '18446744073709551615', 'integer_range', 0),
  value('large, but written as a double', '7493 2.2', '[6.02214076e23,1e300]', [6.02214076e23, 1e300]),
  value('the largest double', '7493 2.2', '1.7976931348623157e308', Number.MAX_VALUE),
  fault('beyond it', '7493 2.2', '[1E400]', 'number_range', 1),
  fault('beyond it, below zero', '7493 2.2', '-1e309', 'number_range', 0),
  fault('beyond it, without an exponent', '7493 2.2', `${'9'.repeat(310)}.5`, 'number_range', 0),
  value('the least double', '7493 2.2', '5e-324', Number.MIN_VALUE),
  fault('too near to zero', '7493 2.2', '1e-400', 'number_range', 0),
  fault('too near to zero, without an exponent', '7493 2.2', `0.${'0'.repeat(330)}1`, 'number_range', 0),
  value('zero, however written', '7493 2.2', '[0e-999,0.00e999]', [0, 0]),
  value('more digits than a double has', '7493 2.2', '0.1000000000000000055', 0.1),

  // -- strings
  value('no characters', '8259 7', '""', ''),
  value('short escapes', '8259 7', '"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\/\b\f\n\r\t'),
  value('long escapes', '8259 7', '"\\u0041\\u00e9\\u20AC\\u0000"', 'Aé€\0'),
  value('a surrogate pair', '8259 7', '"\\uD834\\udd1E"', '\u{1d11e}'),
  value('DEL', '8259 7', '"\x7f"', '\x7f'),
  value('an escape next to UTF-8', '8259 7', '"\xc3\xa9\\n"', 'é\n'),
  fault('a line feed', '8259 7', '"a\nb"', 'control_character', 2),
  fault('a tab', '8259 7', '"\t"', 'control_character', 1),
  fault('a NUL', '8259 7', '"\0"', 'control_character', 1),
  fault('U+001F', '8259 7', '{"\x1f":1}', 'control_character', 2),
  fault('an escape from JavaScript', '8259 7', '"\\x41"', 'unknown_escape', 1),
  fault('an escaped single quote', '8259 7', '"a\\\'"', 'unknown_escape', 2),
  fault('a capital escape', '8259 7', '"\\U0041"', 'unknown_escape', 1),
  fault('an escaped line feed', '8259 7', '"\\\n"', 'unknown_escape', 1),
  fault('an escaped byte beyond ASCII', '8259 7', '"\\\xe9"', 'unknown_escape', 1),
  fault('three digits', '8259 7', '"\\u004"', 'unicode_escape', 1),
  fault('a digit that is none', '8259 7', '"\\u00g0"', 'unicode_escape', 1),
  fault('braces', '8259 7', '"\\u{41}"', 'unicode_escape', 1),
  fault('digits cut off', '8259 7', '"\\u00', 'unicode_escape', 1),
  fault('a string cut', '8259 2', '"abc', 'cut_short', 4),
  fault('a string cut after a backslash', '8259 2', '"\\', 'cut_short', 2),
  fault('a string cut between the halves of a pair', '8259 2', '"\\ud83d', 'cut_short', 7),
  fault('a quote that is escaped', '8259 2', '"\\"', 'cut_short', 3),
  fault('a high half alone', '7493 2.1', '"a\\ud83d"', 'lone_surrogate', 2),
  fault('a low half alone', '7493 2.1', '"\\ude00"', 'lone_surrogate', 1),
  fault('two high halves', '7493 2.1', '"\\ud83d\\ud83d"', 'lone_surrogate', 1),
  fault('halves the wrong way round', '7493 2.1', '"\\ude00\\ud83d"', 'lone_surrogate', 1),
  fault('two low halves', '7493 2.1', '"\\ude00\\ude00"', 'lone_surrogate', 1),
  fault('a character between the halves', '7493 2.1', '"\\ud83d \\ude00"', 'lone_surrogate', 1),
  fault('another escape behind a high half', '7493 2.1', '"\\ud83d\\n"', 'lone_surrogate', 1),
  fault('half a pair in a name', '7493 2.1', '{"\\udfff":1}', 'lone_surrogate', 2),
  fault('a bad second escape', '8259 7', '"\\ud83d\\uzzzz"', 'unicode_escape', 7),
  value('a noncharacter', '7493 2.1', '"\xef\xbf\xbe\\uffff"', '\ufffe\uffff'),
  value('U+FEFF at the start of a string', '8259 8.1', '"\xef\xbb\xbfa"', '\ufeffa'),

  // -- UTF-8
  value('one of each length', '3629 4', '"$\xc2\xa2\xe2\x82\xac\xf0\x90\x8d\x88"', '$¢€\u{10348}'),
  value('the ends of two bytes', '3629 4', '"\xc2\x80\xdf\xbf"', '\x80\u07ff'),
  value('the ends of three bytes', '3629 4', '"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80"', '\u0800\ud7ff\ue000'),
  value('the ends of four bytes', '3629 4', '"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"', '\u{10000}\u{10ffff}'),
  fault('Latin-1', '3629 4', '"a\xe9"', 'invalid_utf8', 2),
  fault('a continuation alone', '3629 4', '"\x80"', 'invalid_utf8', 1),
  fault('an overlong slash', '3629 4', '"\xc0\xaf"', 'invalid_utf8', 1),
  fault('an overlong quote', '3629 4', '"\xc1\xa2"', 'invalid_utf8', 1),
  fault('an overlong form of three', '3629 4', '"\xe0\x9f\xbf"', 'invalid_utf8', 1),
  fault('an overlong form of four', '3629 4', '"\xf0\x8f\xbf\xbf"', 'invalid_utf8', 1),
  fault('a surrogate', '3629 4', '"\xed\xa0\x80"', 'invalid_utf8', 1),
  fault('a pair of surrogates', '3629 4', '"\xed\xa0\xbd\xed\xb8\x80"', 'invalid_utf8', 1),
  fault('beyond U+10FFFF', '3629 4', '"\xf4\x90\x80\x80"', 'invalid_utf8', 1),
  fault('a lead beyond F4', '3629 4', '"\xf5\x80\x80\x80"', 'invalid_utf8', 1),
  fault('FF', '3629 4', '"\xff"', 'invalid_utf8', 1),
  fault('a sequence ended by the quote', '3629 4', '"\xe2\x82"', 'invalid_utf8', 1),
  fault('a sequence ended by another', '3629 4', '"\xf0\x90\xc2\x80"', 'invalid_utf8', 1),
  fault('a sequence cut', '3629 4', '"\xf0\x9f', 'invalid_utf8', 1),
  fault('in a name', '3629 4', '{"\xfe":1}', 'invalid_utf8', 2),

  // -- bounds, each met and then passed by one
  value('as many bytes as allowed', '8259 9', '[1]', [1], { bytesMax: 3 }),
  fault('a byte more', '8259 9', '[1] ', 'too_many_bytes', 3, { bytesMax: 3 }),
  value('as deep as allowed', '8259 9', '[[[[1]]],{}]', [[[[1]]], {}]),
  fault('deeper', '8259 9', '[[[[[', 'too_deep', 4),
  fault('deeper through objects', '8259 9', '{"a":{"b":{}}}', 'too_deep', 10, { depthMax: 2 }),
  value('depth zero', '8259 9', '1', 1, { depthMax: 0 }),
  fault('deeper than zero', '8259 9', '[]', 'too_deep', 0, { depthMax: 0 }),
  value('as many nodes as allowed', '8259 9', '{"a":[1,2]}', { a: [1, 2] }, { nodesMax: 5 }),
  fault('a node more', '8259 9', '{"a":[1,2]}', 'too_many_nodes', 8, { nodesMax: 4 }),
  fault('a name more', '8259 9', '{"a":1}', 'too_many_nodes', 1, { nodesMax: 1 }),
  value('as many members as allowed', '8259 9', '{"a":1,"b":2}', { a: 1, b: 2 }, { membersMax: 2 }),
  fault('a member more', '8259 9', '{"a":1,"b":2,"c":3}', 'too_many_members', 13, { membersMax: 2 }),
  value('a string as long as allowed', '8259 9', '"abcd"', 'abcd', { stringBytesMax: 4 }),
  fault('a longer string', '8259 9', '["abcde"]', 'string_too_long', 1, { stringBytesMax: 4 }),
  fault('a longer name', '8259 9', '{"abcde":1}', 'string_too_long', 1, { stringBytesMax: 4 }),
  value('a number as long as allowed', '8259 9', '-1.5', -1.5, { numberBytesMax: 4 }),
  fault('a longer number', '8259 9', '[-1.50]', 'number_too_long', 1, { numberBytesMax: 4 }),
];

function value(name: string, rule: string, bytes: string, expected: unknown, bounds?: Partial<JsonBounds>) {
  return { name, rule, bytes, expected: { value: expected }, ...(bounds === undefined ? {} : { bounds }) };
}

function fault(
  name: string,
  rule: string,
  bytes: string,
  code: JsonFaultCode,
  offset: number,
  bounds?: Partial<JsonBounds>,
): ScanCase {
  const expected = { fault: code, offset };
  return { name, rule, bytes, expected, ...(bounds === undefined ? {} : { bounds }) };
}
