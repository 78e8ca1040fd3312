/** What the JSON scanner refuses: one row for each reason, with the section that says so. */

export interface JsonFaultRule {
  readonly section: string;
  readonly why: string;
}

export const JSON_FAULTS = {
  empty: rule('RFC 8259 2', 'there is no value'),
  byte_order_mark: rule('RFC 8259 8.1', 'a byte order mark stands before the value'),
  cut_short: rule('RFC 8259 2', 'the text ends inside a value'),
  trailing_data: rule('RFC 8259 2', 'something other than white space follows the value'),
  value_expected: rule('RFC 8259 3', 'a value must stand here'),
  unknown_literal: rule('RFC 8259 3', 'the only literals are true, false and null, in lower case'),
  name_expected: rule('RFC 8259 4', 'a member name in double quotes must stand here'),
  colon_expected: rule('RFC 8259 4', 'a colon must follow the member name'),
  member_separator: rule('RFC 8259 4', 'a comma or the closing brace must follow the member'),
  item_separator: rule('RFC 8259 5', 'a comma or the closing bracket must follow the item'),
  leading_zero: rule('RFC 8259 6', 'a number has a leading zero, which some read as octal'),
  number_syntax: rule('RFC 8259 6', 'a number is not written as JSON writes numbers'),
  control_character: rule('RFC 8259 7', 'a control character in a string is not escaped'),
  unknown_escape: rule('RFC 8259 7', 'a backslash is followed by a character that has no meaning there'),
  unicode_escape: rule('RFC 8259 7', '\\u is not followed by four hexadecimal digits'),
  invalid_utf8: rule('RFC 3629 4', 'the bytes are not UTF-8'),
  lone_surrogate: rule('RFC 7493 2.1', 'an escape names half a surrogate pair'),
  integer_range: rule('RFC 7493 2.2', 'an integer is beyond 9007199254740991, up to where readers agree'),
  number_range: rule('RFC 7493 2.2', 'a number is too large, or too near to zero, for a 64-bit float'),
  duplicate_name: rule('RFC 7493 2.3', 'an object has two members of the same name'),
  too_many_bytes: rule('RFC 8259 9', 'the text is longer than allowed'),
  too_deep: rule('RFC 8259 9', 'objects and arrays are nested more deeply than allowed'),
  too_many_nodes: rule('RFC 8259 9', 'there are more values and member names than allowed'),
  too_many_members: rule('RFC 8259 9', 'an object has more members than allowed'),
  string_too_long: rule('RFC 8259 9', 'a string is longer than allowed'),
  number_too_long: rule('RFC 8259 9', 'a number has more characters than allowed'),
} as const satisfies Record<string, JsonFaultRule>;

export type JsonFaultCode = keyof typeof JSON_FAULTS;

/** Why a text was refused. `offset` is the byte at which the refused thing begins, or the length if it is missing. */
export interface JsonFault {
  readonly code: JsonFaultCode;
  readonly offset: number;
  readonly why: string;
}

function rule(section: string, why: string): JsonFaultRule {
  return { section, why };
}
