/** A proxy under measurement, whoever made it: all peers get the same requests for the same upstream. */
export interface Peer {
  readonly name: string;
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** The process whose whole tree is measured. */
  readonly pid: number;
  /** The field that lets a request through; peers that check nothing get one as long, to read the same bytes. */
  readonly credential: Readonly<Record<string, string>>;
  readonly stop: () => Promise<void>;
}

/** The key that nginx checks: it looks and is as long as one of the gateway's own. */
export const PEER_KEY = `ptn_live_${'0'.repeat(12)}_${'x'.repeat(38)}`;

export const PEER_CREDENTIAL = { authorization: `Bearer ${PEER_KEY}` };
