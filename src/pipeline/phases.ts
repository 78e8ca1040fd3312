/**
 * The life of a request, in order. Each phase may answer an `Outcome`; `body` says whether it can wait for the body.
 * One table: the exchange runs it, records time it, `explain` and the documentation print it.
 */
export const PHASES = [
  { name: 'receive', does: 'reads the request line and fields, refuses what is malformed or ambiguous' },
  { name: 'match', does: 'normalises the target and finds the route' },
  { name: 'identify', does: 'finds the caller by the presented key' },
  { name: 'authorise', does: 'runs permit, forbid and require' },
  {
    name: 'body',
    does: 'reads and checks the body where a schema describes it, and runs the rules that read it',
  },
  { name: 'admit', does: 'takes from every limit that applies, all or nothing' },
  { name: 'shape-request', does: 'sets and removes request fields, caps and sets members of the body' },
  { name: 'dispatch', does: 'sends the request to an endpoint of the service' },
  { name: 'shape-response', does: 'sets and removes response fields' },
  { name: 'relay', does: 'passes the answer on as it comes' },
  { name: 'account', does: 'settles what was reserved, and asks the rules that tell operators' },
  { name: 'record', does: 'writes one record' },
] as const;

type PhaseName = (typeof PHASES)[number]['name'];

/** Place of each phase in the table. */
export const PHASE = Object.freeze(
  Object.fromEntries(PHASES.map(({ name }, index) => [name, index])),
) as Readonly<Record<PhaseName, number>>;
