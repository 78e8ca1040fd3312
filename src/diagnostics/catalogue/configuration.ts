import type { CatalogueEntry } from './entry.ts';

function error(title: string, explanation: string): CatalogueEntry & { readonly severity: 'error' } {
  return { title, severity: 'error', explanation };
}

function warning(title: string, explanation: string): CatalogueEntry & { readonly severity: 'warning' } {
  return { title, severity: 'warning', explanation };
}

/** Codes of YAML files: PT30xx reading the text, PT31xx shape, PT32xx references, PT33xx routes, PT34xx secrets. */
export const CONFIGURATION_CODES = {
  PT3001: error(
    'Not readable as YAML',
    'The text is not valid YAML 1.2, so nothing in the file can be used. Correct it where the message points; the mistake is there or a little before.',
  ),
  PT3002: error(
    'Name written twice in a map',
    'A map has two entries of one name. YAML does not say which one counts, so neither does. Keep one of them.',
  ),
  PT3003: error(
    'Character that may not be there',
    'The file holds a control character, a byte order mark, or bytes that are not UTF-8. Such characters are invisible and never meant. Save the file as UTF-8 without a byte order mark.',
  ),
  PT3004: error(
    'Too large',
    'A file is larger, or there are more files or findings, than the limits allow. Split the file, or raise the limit that the message names.',
  ),
  PT3005: error(
    'Nested too deeply',
    'Maps and lists lie inside each other deeper than limits.nestingDepth. No field needs so many levels: usually an indentation or a bracket went wrong.',
  ),
  PT3006: error(
    'Tag or directive',
    'Tags (!name) and directives (%YAML) change what values mean, and every reader treats them differently. Fields know their types, so neither is needed.',
  ),
  PT3007: error(
    'Several documents in one file',
    'A file holds one YAML document. Write the second one into a file of its own, or join the two.',
  ),
  PT3008: error(
    'Alias that cannot be followed',
    'An alias names no anchor, leads back to itself, or the aliases of the file would make it grow beyond its bounds. Write the values out.',
  ),
  PT3009: error('Tab as indentation', 'YAML indents with blanks. A tab has no width that readers agree on.'),
  PT3010: error(
    'Name that is a list or a map',
    'Entries of a map have names, which are texts. A name that begins with [ or { has to be put in quotes.',
  ),
  PT3011: error(
    'Read differently by two readers',
    'Files with unusual features are read twice, by two independent YAML readers. They did not agree, so what was meant is not certain. Write the file more plainly.',
  ),
  PT3101: error(
    'Unknown field',
    'The field does not exist. Every field that is accepted does something, so an unknown one is a misspelling or belongs elsewhere.',
  ),
  PT3102: error('Missing field', 'A field without which the rest has no meaning is missing.'),
  PT3103: error(
    'Wrong kind of value',
    'A text, number, list or map stands where another kind of value belongs. Texts that look like numbers, such as the version 1.10, need quotes.',
  ),
  PT3104: error(
    'Not one of the possible values',
    'The field takes one of a few words, and this is none of them.',
  ),
  PT3105: error(
    'Not the literal that is expected',
    'The value has a written form, such as 5s, 1MiB, 2027-03-31 or Europe/Berlin, and this is not it. Durations and sizes always carry their unit.',
  ),
  PT3106: error('Out of range', 'The value is smaller, larger, shorter or longer than the field allows.'),
  PT3107: error(
    'Not a name',
    'Names are made of lower-case letters, digits, and - _ . between them, so that they can be used in policies, metrics and addresses without quoting.',
  ),
  PT3108: error('Twice in a list', 'A value stands twice in a list that is a set.'),
  PT3109: error('Fields that exclude each other', 'Exactly one of several fields belongs here.'),
  PT3110: error(
    'File that belongs to no kind',
    'A YAML file is known by its place: portunus.yaml, enforcement.yaml, routes/….yaml, tenants/….yaml and providers/….yaml. A file elsewhere would be silently ignored, so it is an error.',
  ),
  PT3111: error(
    'portunus.yaml is missing',
    'Every project folder has a file portunus.yaml; `portunus: 1` is enough.',
  ),
  PT3112: error(
    'Path that leaves the project',
    'Relative paths start at the file that holds them and stay inside the project folder, so that a project can be moved and reviewed as a whole.',
  ),
  PT3113: error(
    'Not an endpoint',
    'An endpoint is an http or https URL with a host, optionally a port and a path, and nothing else.',
  ),
  PT3114: error(
    'Admin API in public',
    'The admin API can change everything, and its tokens must not be read on the way. Without TLS it listens on loopback addresses only.',
  ),
  PT3115: error(
    'One address twice',
    'Requests and the admin API cannot listen on the same address and port.',
  ),
  PT3116: error(
    'Attribute name that is taken',
    'The word already means something about tenants, teams or consumers in policies.',
  ),
  PT3117: error('Plan that is not a set of words', 'Plans are names. Declare them as enum: [free, team].'),
  PT3118: error(
    'Credential that ends before it begins',
    'The day of expiry lies before the day of creation.',
  ),
  PT3119: error(
    'Certificate without key, or key without certificate',
    'A certificate is of use only together with its private key: name the files of both.',
  ),
  PT3120: error(
    'Rate of the accounting currency',
    'Rates say what other currencies are worth in the one that accounts are kept in.',
  ),
  PT3129: error(
    'Not an address for alerts',
    'A webhook is an http or https URL, without credentials and without a fragment.',
  ),
  PT3201: error(
    'Unknown name',
    'A service, route, team, plan, provider, pool, model or policy is referred to that no file defines. It is misspelt, or its definition was removed.',
  ),
  PT3202: error(
    'Defined twice',
    'Two files define the same name. Which one counts must not depend on their order.',
  ),
  PT3203: error(
    'Key used twice',
    'Two credentials have the same key id, or are the same certificate, so a caller could not be told from another.',
  ),
  PT3204: error(
    'Unknown attribute',
    'Attributes are declared in portunus.yaml under attributes, with their types, before tenants, teams and consumers can have them.',
  ),
  PT3205: error(
    'Missing attribute',
    'An attribute that is not declared as optional has to be given everywhere: policies rely on it.',
  ),
  PT3206: error(
    'Attribute of another type',
    'The value does not have the type that portunus.yaml declares for it.',
  ),
  PT3207: error(
    'Authority over everything and over something',
    'The policies of a folder may govern everything, or what the lists of tenants, routes, services and tags name; not both.',
  ),
  PT3208: error(
    'Token of two issuers',
    'Two token issuers have the same iss and an audience in common. Whose a token is, and which consumer it names, must not depend on their order.',
  ),
  PT3209: error(
    'Certificates without a trusted proxy',
    'A route identifies callers by certificates, but nobody is trusted to say which certificate a client has: anybody could write a Client-Cert field.',
  ),
  PT3210: error(
    'Name in a certificate without an authority',
    'Anybody can make a certificate with any name in it. A credential that goes by such a name needs authorities that vouch for it.',
  ),
  PT3211: error(
    'Pools of different dialects',
    'Calls to a model are passed on as they come, so all pools that may get one must belong to providers of one dialect.',
  ),
  PT3212: error(
    'Issuer that can not be asked for its keys',
    'With keys: discovery the configuration of the issuer lies below the address that the issuer goes by: an https address without query and fragment, or one of http on this machine.',
  ),
  PT3213: error(
    'Two sets of limits for one account',
    'Keys of one account at one provider share its limits. What the limits are must not depend on the order of the keys.',
  ),
  PT3214: error(
    'Limit of money without a price',
    'A key may spend no more than an amount of money, and a model that its pool serves has no price: what its calls cost could not be counted.',
  ),
  PT3215: error(
    'Hook of rotations that nobody can call',
    'A pool may name what is asked for a new secret: a command of this machine, or a webhook. A webhook is sent over https, or stays on this machine, and knows by a signature who asks: what it answers is a secret.',
  ),
  PT3216: error(
    'Hook for a secret that it can not replace',
    'With a hook the gateway puts new secrets in their place by itself. It can do so in its own store alone: a file or variable is somebody else’s to write.',
  ),
  PT3217: warning(
    'One secret as keys of two accounts',
    'Keys that have their secret from the same place are the same key of the provider. An account is what shares limits, and what keeps answers and conversations: with two names for one, its limits would be used twice.',
  ),
  PT3218: error(
    'Price of a day that is over',
    'A price of pricesFrom takes the place of the one before on its day. Where that one is from the same day or a later one, it is not plain which of them is meant.',
  ),
  PT3219: error(
    'Price that is not known',
    'A discount or a surcharge is a share of the price of a model, and with choose: cheapest calls go to the key that costs least. Both need to know what a model costs with each key of the pool.',
  ),
  PT3220: error(
    'Price of a model that the pool does not serve',
    'A pool or a key says what a model costs there, and the model does not name the pool: no call would ever cost that.',
  ),
  PT3221: warning(
    'Cheapest of keys that cost the same',
    'With choose: cheapest, calls go to the key with which they cost least. Where no key says that it costs less or more than the others, they go to the one that has the most left of its limits, as with choose: headroom.',
  ),
  PT3301: error(
    'Overlapping routes',
    'Two routes fit the same requests equally well: same host, same path apart from parameter names, a method in common. Which one answers must not depend on their order.',
  ),
  PT3302: error(
    'Not a path pattern',
    'A path pattern begins with / and consists of literal segments in their normal form, {name} for one segment, and {name...} last for the rest.',
  ),
  PT3303: error(
    'Unknown path parameter',
    'The upstream path uses a parameter that the pattern of the route does not have.',
  ),
  PT3304: error('Header field twice', 'Names of header fields are the same in capitals and small letters.'),
  PT3305: error(
    'Request schema not found',
    'A request schema is a file of the project whose name ends with .schema.json, in routes/ or schemas/.',
  ),
  PT3306: error(
    'Not a usable JSON Schema',
    'The file is not JSON, not a JSON Schema of draft 2020-12, or refers to something outside itself. Unknown keywords are mistakes; those that begin with x- are passed over.',
  ),
  PT3307: error(
    'Schema for requests without a body',
    'Each request of a route with a schema must have a body that fits it, so its methods are named, and are POST, PUT or PATCH.',
  ),
  PT3308: error(
    'WebSocket without GET',
    'A WebSocket begins with a GET request, so the methods of its route, where they are named, are GET alone.',
  ),
  PT3309: error(
    'Field that a route to models has no use for',
    'Where calls to models go, and what they cost, is said by providers and models. What only a service has a use for would be passed over in silence. A route to all operations of a dialect has them below its path, each with a method of its own; one that tells of a single model reads its name off the end of the path.',
  ),
  PT3318: error(
    'Price in another currency',
    'Accounts are kept in the one currency that portunus.yaml names. An amount in another needs a dated rate there; what answers tell is never converted.',
  ),
  PT3401: error(
    'Secret in a configuration file',
    'Something that looks like a key, token, password or private key stands in a file that is copied, reviewed and logged. Remove it and replace the secret: it must be taken as known. The value is masked in all messages.',
  ),
} as const satisfies Record<string, CatalogueEntry>;
