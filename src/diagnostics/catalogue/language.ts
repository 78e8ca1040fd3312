import type { CatalogueEntry } from './entry.ts';

/**
 * Codes of one policy file: PT01xx reading the text, PT11xx names, PT12xx types, PT13xx values that may be missing,
 * PT21xx rules that cannot mean what they say, PT23xx what a folder may govern.
 */
export const LANGUAGE_CODES = {
  PT0101: {
    title: 'Unexpected text',
    severity: 'error',
    explanation: 'The parser met something that cannot stand at this place. The help lists what can.',
  },
  PT0102: {
    title: 'Language version missing or unknown',
    severity: 'error',
    explanation:
      'Every policy file begins with `language 1`, so that a later version can read it as it was meant.',
  },
  PT0103: {
    title: 'Word in capitals',
    severity: 'error',
    explanation:
      'All words of the language are written in lower case. What has capitals is a text and stands in quotes.',
  },
  PT0104: {
    title: 'Text without closing quote',
    severity: 'error',
    explanation: 'A text begins and ends on one line. The text was read up to the end of its line.',
  },
  PT0105: {
    title: 'Reserved word as a name',
    severity: 'error',
    explanation:
      'Words of the language, of its facts and of its later versions cannot be defined names, so that a sentence has only one reading.',
  },
  PT0106: {
    title: 'Not in this version',
    severity: 'error',
    explanation:
      'The word or sign belongs to a part of the language that this version does not have. It is refused rather than ignored.',
  },
  PT0107: {
    title: '"and" mixed with "or"',
    severity: 'error',
    explanation: 'People read a mixture of `and` and `or` in two ways. Parentheses say which one is meant.',
  },
  PT0108: {
    title: 'Condition that begins with a value',
    severity: 'error',
    explanation: 'A condition begins with a fact. A text right after a rule word is the name of the rule.',
  },
  PT0109: {
    title: 'Said twice',
    severity: 'error',
    explanation:
      'A clause, an owner, a scope or a zone can be said once. Two of them would contradict each other or one would be ignored.',
  },
  PT0110: {
    title: 'Invisible character',
    severity: 'error',
    explanation:
      'Control, bidirectional and zero-width characters make a text look like something it is not. They are refused everywhere, also in comments. So is what is left of bytes that are not UTF-8.',
  },
  PT0111: {
    title: 'Sign of another language',
    severity: 'error',
    explanation:
      'The sign has no meaning in a policy. Where other languages use it, the help says the word that stands for it here.',
  },
  PT0112: {
    title: 'Not a number',
    severity: 'error',
    explanation:
      'Numbers are written with digits, `_` between groups of three, and a unit where one is meant. `1m` is always one minute.',
  },
  PT0113: {
    title: 'Unknown escape',
    severity: 'error',
    explanation: 'A backslash in a text begins one of five escapes. Anything else after it is a mistake.',
  },
  PT0114: {
    title: 'Nested too deeply',
    severity: 'error',
    explanation:
      'Parentheses, `not` and questions about lists are nested deeper than the limit `nestingDepth`. Reading stops there, so that no file can exhaust the memory of the gateway.',
  },
  PT0115: {
    title: 'Not in normalisation form C',
    severity: 'error',
    explanation:
      'Unicode can write some letters in two ways that look the same but compare as different. Policy files use form C.',
  },
  PT0116: {
    title: 'Word with hyphen',
    severity: 'error',
    explanation:
      'Words of the language have no hyphens. Names of routes, tenants and roles may, and stand in quotes.',
  },
  PT0117: {
    title: 'Selector in a condition',
    severity: 'error',
    explanation:
      '`routes tagged`, `service` and the like say what a policy applies to. In the condition of a rule, ask the fact itself.',
  },
  PT0118: {
    title: 'Unreadable hole',
    severity: 'error',
    explanation: 'Braces in a message or header value hold the path of a fact and nothing else.',
  },
  PT0119: {
    title: 'Unfinished statement',
    severity: 'error',
    explanation: 'A new rule or the end of the policy begins before the statement is complete.',
  },
  PT0120: {
    title: 'Minus without blanks',
    severity: 'error',
    explanation:
      'A minus sign has a blank on both sides, so that it is never read as a part of a name. Numbers have no sign.',
  },
  PT1101: {
    title: 'Unknown name',
    severity: 'error',
    explanation:
      'The name is not in the configuration. A rule about something that does not exist would never have an effect, so it is refused.',
  },
  PT1102: {
    title: 'Unknown fact',
    severity: 'error',
    explanation:
      'Facts are built in or declared under `attributes` in portunus.yaml. There is no untyped access to anything else.',
  },
  PT1103: {
    title: 'Unknown defined name',
    severity: 'error',
    explanation: 'A bare word on the right of a comparison is a name made by `define` in the same file.',
  },
  PT1104: {
    title: 'Unknown time zone',
    severity: 'error',
    explanation: 'Zones are names of the IANA time zone database.',
  },
  PT1105: {
    title: 'Two policies of one name',
    severity: 'error',
    explanation: 'Counters, waivers and logs refer to a policy by its name, so it is unique in the project.',
  },
  PT1106: {
    title: 'Two rules of one name',
    severity: 'error',
    explanation: 'Counters, waivers and logs refer to a rule by its name, so it is unique in its policy.',
  },
  PT1107: {
    title: 'Two equal limits',
    severity: 'error',
    explanation:
      'A limit without a name is known by what it counts, its window and its key. Two that agree in all of these would share one counter.',
  },
  PT1108: {
    title: 'Defined twice',
    severity: 'error',
    explanation: 'A defined name stands for one value in its file.',
  },
  PT1109: {
    title: 'Wrong parameter of a fact',
    severity: 'error',
    explanation:
      'Headers, query parameters and path parameters are named in brackets; other facts take none.',
  },
  PT1110: {
    title: 'Two declarations of one name',
    severity: 'error',
    explanation:
      'Calendars and lists of holidays are known in every file of the project, so each name can be declared once.',
  },
  PT1201: {
    title: 'Types do not fit',
    severity: 'error',
    explanation: 'Both sides of a comparison are of one type. Nothing is converted silently.',
  },
  PT1202: {
    title: 'No order',
    severity: 'error',
    explanation: 'Only numbers, amounts with units, dates and times can be more or less than another.',
  },
  PT1203: {
    title: 'Units do not fit',
    severity: 'error',
    explanation: 'A size cannot be compared with a duration, nor a date with a share.',
  },
  PT1204: {
    title: 'Unit missing',
    severity: 'error',
    explanation: 'A bare number where a unit is meant is a guess: 60 could be seconds or minutes.',
  },
  PT1205: {
    title: 'Not a text',
    severity: 'error',
    explanation:
      '`contains`, `starts with`, `ends with` and `like` look into texts (`contains` also into lists).',
  },
  PT1206: {
    title: 'Not a list',
    severity: 'error',
    explanation: '`in` asks whether a value is in a list, so its right side is one.',
  },
  PT1207: {
    title: 'Unreadable value',
    severity: 'error',
    explanation:
      'The value has the form of a literal but stands for nothing: a 31st of June, a network with bits behind its length.',
  },
  PT1208: {
    title: 'Not the consumer',
    severity: 'error',
    explanation: 'Roles and subscriptions belong to consumers, so these tests begin with `consumer`.',
  },
  PT1209: {
    title: 'Amount out of range',
    severity: 'error',
    explanation:
      'Amounts are positive whole numbers up to 2^53, and lengths of time are longer than nothing.',
  },
  PT1210: {
    title: 'Fixed value needed',
    severity: 'error',
    explanation:
      'Patterns are fixed when the policy is compiled, so that what a rule can match is known before it runs.',
  },
  PT1211: {
    title: 'Regular expression that cannot be used',
    severity: 'error',
    explanation:
      'Regular expressions are those of RE2: each takes time in proportion to the text it looks at. What would need more (look-around, back-references) is refused, and so is one larger than the limit `regexInstructions`.',
  },
  PT1212: {
    title: 'Calculation with things that do not go together',
    severity: 'error',
    explanation:
      'Values of one unit can be added and subtracted. A value with a unit can be multiplied and divided by a number. Texts, dates and lists are not calculated with.',
  },
  PT1213: {
    title: 'Division by something that could be zero',
    severity: 'error',
    explanation:
      'A policy that compiles cannot fail on a request, so only a number that is written out and not 0 divides.',
  },
  PT1214: {
    title: 'Another currency',
    severity: 'error',
    explanation:
      'Amounts of money are compared in the one currency that portunus.yaml names. An amount in another needs a dated rate there (`rates`).',
  },
  PT1215: {
    title: 'Unit for something that has one',
    severity: 'error',
    explanation: '`as` says in which unit a plain number is meant. What has a type already keeps it.',
  },
  PT1216: {
    title: 'Text that no request can have',
    severity: 'error',
    explanation:
      'Methods, hosts, paths, names and values of headers reach rules in one spelling, so that a caller cannot slip past a rule by writing them otherwise. A rule that asks for another spelling would never hold: a forbid would refuse nothing.',
  },
  PT1112: {
    title: 'Header that looks misspelt',
    severity: 'warning',
    explanation:
      'Any header may be asked about, so a misspelt one would simply never be there. This name is one letter away from a common header.',
  },
  PT1221: {
    title: 'Quantifier over something else than a list',
    severity: 'error',
    explanation:
      '`any of`, `every of` and `no one of` ask the elements of a list: one that comes with a request or its caller, or one that `define` names.',
  },
  PT1222: {
    title: 'No element to speak of',
    severity: 'error',
    explanation:
      '`it` is the element of the list that a quantifier asks about: of the nearest one, where one stands in another.',
  },
  PT1223: {
    title: 'Test that is not about the element',
    severity: 'error',
    explanation:
      'The condition of a quantifier takes all that follows it, and each of its tests is about the element. A test of something else could be read as a part of the question or as one that stands beside it, which is not the same for `every of` and `no one of`.',
  },
  PT1224: {
    title: 'Each element compared with each of another list',
    severity: 'error',
    explanation:
      'Both lists come with the request, so a caller could make one check cost as much as their lengths multiplied. Rules look at each element of a body once.',
  },
  PT1225: {
    title: 'List of objects where a value is needed',
    severity: 'error',
    explanation:
      'A list of objects in a body is there for its elements: quantifiers ask them, and `is present` asks whether there is one. It cannot be compared, counted by or shown.',
  },
  PT1120: {
    severity: 'error',
    title: 'Body that is not described',
    explanation:
      'A rule reads a member of the request body, and a route it can apply to has no request.schema that names the member, or names it with another type. Rules read only what is described: else they could fail when a request arrives.',
  },
  PT1301: {
    title: 'Value that may be missing',
    severity: 'error',
    explanation:
      'The fact is not there for every request the rule sees. Guard it, give it a value with `otherwise`, or narrow the scope: a missing value must never decide by accident.',
  },
  PT1302: {
    title: 'Counter key that may be missing',
    severity: 'error',
    explanation:
      'A limit without a key for some requests would either not count them or lump them together. Say which: `otherwise request.ip`.',
  },
  PT1303: {
    title: 'Test of something never missing',
    severity: 'error',
    explanation: 'The fact is there for every request, so the test can only mislead.',
  },
  PT2101: {
    title: 'Limit without counter key',
    severity: 'error',
    explanation:
      'Whether callers share a limit or have one each is the most important thing about it, so it is always said.',
  },
  PT2102: {
    title: 'Clause of another kind of rule',
    severity: 'error',
    explanation:
      'Each kind of rule takes certain clauses. A clause it does not take would be ignored, so it is refused.',
  },
  PT2103: {
    title: 'Calendar period in a limit',
    severity: 'error',
    explanation:
      'Limits are measured by lengths of time wherever they begin; quotas follow the calendar of a zone.',
  },
  PT2104: {
    title: 'Status out of range',
    severity: 'error',
    explanation: 'A refusal has a status from 400 to 599.',
  },
  PT2105: {
    title: 'Header that cannot be changed',
    severity: 'error',
    explanation:
      'The name is not a header name (RFC 9110, 5.1), or it frames the message or belongs to one connection (RFC 9110, 7.6.1), which is the business of the gateway.',
  },
  PT2106: {
    title: 'Hole that may not be shown',
    severity: 'error',
    explanation:
      'Texts that callers see hold only facts labelled for callers, and `limit` facts only where a limit answers. Amounts of counters that others share are not shown.',
  },
  PT2107: {
    title: 'Decided by the model that the caller wrote',
    severity: 'error',
    explanation:
      'Limits may send a call to another model than the caller asked for. A rule about `request.model` holds for what was asked, so the other model would pass it; `model` is the one that is used, and the rule is asked of each that is tried.',
  },
  PT2108: {
    title: 'Policy that applies to no route',
    severity: 'warning',
    explanation: 'No route of the project is in the scope of the policy, so none of its rules ever runs.',
  },
  PT2109: {
    title: 'Rule without effect',
    severity: 'warning',
    explanation:
      'The condition of the rule is false for every route in its scope, so it never does anything.',
  },
  PT2110: {
    title: 'Fact of the response in a rule about the request',
    severity: 'error',
    explanation:
      'Rules are decided before the request is sent on: there is no response yet that they could read, and what was admitted cannot be taken back when it comes.',
  },
  PT2111: {
    title: 'Header value with forbidden characters',
    severity: 'error',
    explanation:
      'Header values are visible ASCII characters and blanks (RFC 9110, 5.5): anything else is read differently by different receivers.',
  },
  PT2112: {
    title: 'Unusable error code',
    severity: 'error',
    explanation: 'Codes are for programs: stable, lower-case words.',
  },
  PT2113: {
    title: 'Fact that cannot be a counter key',
    severity: 'error',
    explanation:
      'A counter key tells callers or things apart. Lists, lengths of time and truth values do not.',
  },
  PT2114: {
    title: 'Ends before it begins',
    severity: 'error',
    explanation:
      'The date behind `until` is before the date behind `from`. Both days belong to the time between them, so they may be equal.',
  },
  PT2115: {
    title: 'Empty hours in a calendar',
    severity: 'error',
    explanation:
      'Hours go from a start to an end, the end not included. An end before the start lies on the next day; the whole day is 00:00..24:00.',
  },
  PT2116: {
    title: 'Holidays end soon',
    severity: 'warning',
    explanation:
      'A list of holidays has no date more than 60 days ahead. Past its last date the calendar would be open on holidays that nobody has entered yet.',
  },
  PT2120: {
    title: 'Sunset before deprecation',
    severity: 'error',
    explanation:
      'A deprecation begins on the day from which callers are told, and the sunset is the last day on which the route answers. The sunset cannot come first (RFC 9745, 5).',
  },
  PT2121: {
    title: 'Unfit successor',
    severity: 'error',
    explanation:
      'The successor of a deprecated route has to be a route that stays: not retired, and not deprecated by the same rule.',
  },
  PT2122: {
    title: 'Not a member that can be shaped',
    severity: 'error',
    explanation:
      '`cap` changes numbers and dates of the request body, `default` any one value of it. Headers have `set header`; the address, the caller and the route cannot be changed.',
  },
  PT2123: {
    title: 'Outside of the schema',
    severity: 'error',
    explanation:
      'The gateway would write a value that the schema of the route does not allow, and refuses itself when a caller sends it.',
  },
  PT2124: {
    title: 'Budget on a route without a price',
    severity: 'error',
    explanation:
      'A budget counts what requests cost, and promises never to spend more than its amount. On a route that says nothing of its cost it could not keep that promise.',
  },
  PT2125: {
    title: 'Budget smaller than one request',
    severity: 'warning',
    explanation:
      'Every route in the scope of the budget costs more than the whole amount, so every request is refused as larger than the limit.',
  },
  PT2126: {
    title: 'Tokens of what is no call to a model',
    severity: 'error',
    explanation:
      'Limits of tokens count what calls to models use. The policy also applies to a route of a service, where nothing says what a request would count.',
  },
  PT2127: {
    title: 'Tokens at once',
    severity: 'error',
    explanation:
      '`at once` counts what is under way at a moment. Of a call that is under way nobody knows how many tokens it has used.',
  },
  PT2128: {
    title: 'Cap on the field of one dialect',
    severity: 'error',
    explanation:
      'Each API of models has a field of its own for the longest answer, and some have two. A rule about one of them is passed by a call that uses another, or none. `request.output_cap` is the least of them all.',
  },
  PT2129: {
    title: 'Limit that a model never fits in',
    severity: 'warning',
    explanation:
      'Limits of tokens and money reserve the most that a call can take, and refuse what has no bound. A budget refuses every call to a model of which no price is known, with one of its keys too; calls that say nothing of their longest answer need a model of which that is known, or a rule that caps it.',
  },
  PT2136: {
    title: 'Other model for what is no call',
    severity: 'error',
    explanation:
      '`fall back to model` sends a call to another model where there is no room. The policy also applies to a route whose requests are no calls to models.',
  },
  PT2137: {
    title: 'Other model of another dialect',
    severity: 'error',
    explanation:
      'Calls go on in the dialect in which they came. A limit names a model that no provider offers in the dialect of any route in its scope, so no call could go there.',
  },
  PT2138: {
    title: 'Money more than what counts none',
    severity: 'error',
    explanation:
      '`for at most $5 more` is an amount beside that of a budget. A limit of requests or tokens counts calls to the other model itself, by its key or its condition, or lets them pass uncounted.',
  },
  PT2139: {
    title: 'Other model for which there is no room either',
    severity: 'warning',
    explanation:
      'A limit without room counts the call to the other model as well, unless it has a counter for each model or a condition about it. Without them that call finds the same counter full, and every one of them is refused.',
  },
  PT2140: {
    title: 'Unknown kind of a mask',
    severity: 'error',
    explanation:
      'A mask removes what it knows by a word – `email`, `card`, `phone`, `iban`, `ip`, `ssn`, `secret` – or what a pattern of your own describes.',
  },
  PT2141: {
    title: 'Pattern that can not be masked in a stream',
    severity: 'error',
    explanation:
      'As much of a stream is held back as the longest text that a pattern fits, because its end may decide whether its beginning may pass. So a pattern has a longest text, within `limits.maskPatternCharacters`, and never fits the empty text.',
  },
  PT2142: {
    title: 'Unfit text of a mask',
    severity: 'error',
    explanation:
      'What stands in the place of what is removed is written into JSON, and into JSON within texts of it, such as the arguments of a tool: it holds nothing that would have to be escaped there.',
  },
  PT2143: {
    title: 'Fallback that a route does not have',
    severity: 'warning',
    explanation:
      'Calls go on in the dialect in which they came. None of the models that a limit names is offered in the dialect of one of its routes: there the limit refuses what it has no room for, as if it named none.',
  },
  PT2160: {
    title: 'Cache for routes whose answers are never kept',
    severity: 'error',
    explanation:
      'Answers to GET and HEAD can be kept for later requests, and those of models. To other methods services answer with what they have done, which is to be done each time; and a WebSocket has no answer.',
  },
  PT2310: {
    title: 'Folder without authority',
    severity: 'error',
    explanation:
      'A folder of policies that `authorities` does not name may govern everything. Where a folder beside it is named that is hardly meant: its line is missing or misspelt.',
  },
  PT2311: {
    title: 'Permit of a folder that owns no route',
    severity: 'error',
    explanation:
      'Permits count only on routes that the authority of their folder names by route, service or tag: who governs some tenants does not open routes to them.',
  },
  PT2312: {
    title: 'Policy beyond the authority of its folder',
    severity: 'warning',
    explanation:
      'The scope of a policy is cut to what its folder may govern. This one names routes outside of that, where it has no effect.',
  },
  PT1111: {
    title: 'Former name that is in use',
    severity: 'error',
    explanation:
      'A limit that was renamed takes over what was counted under its former name (`was`). That name cannot belong to another rule at the same time.',
  },
} as const satisfies Record<string, CatalogueEntry>;
