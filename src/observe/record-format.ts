/**
 * The binary form of one access record, version 1, as it lies in a record ring.
 *
 * | offset | content                                                                             |
 * |--------|-------------------------------------------------------------------------------------|
 * | 0      | int32: bytes of the frame, a multiple of 8                                          |
 * | 4      | int32: version, and flags from bit 8 (aborted, ascii, plain)                        |
 * | 8      | int32: status · 12: attempts · 16: lengths of the four lists, one byte each        |
 * | 20     | int32: bytes of text                                                                |
 * | 24     | ten float64: time, tokens in and out, cost, bytes in and out, four phase times      |
 * | 104    | uint16 per text: its bytes                                                          |
 * | …      | the texts in UTF-8, one after the other                                             |
 *
 * Numbers stand first and aligned so that they are plain typed-array stores. Texts stand together so that an ASCII
 * record, nearly every one, is decoded by one native call and cut into slices.
 */
export const FORMAT_VERSION = 1;

/** Bounds in UTF-16 units; longer texts are cut. Paths can be as long as a request line, names are ours. */
export const PATH_UNITS_MAX = 2_048;
export const NAME_UNITS_MAX = 200;
export const LIST_ITEMS_MAX = 8;

export const FIXED_BYTES = 104;
export const SCALAR_TEXTS = 17;
const LIST_COUNT = 4;
const TEXTS_MAX = SCALAR_TEXTS + LIST_COUNT * LIST_ITEMS_MAX;
/** UTF-8 needs at most three bytes for a UTF-16 unit. */
export const UTF8_BYTES_PER_UNIT_MAX = 3;
const TEXT_UNITS_MAX = PATH_UNITS_MAX + (TEXTS_MAX - 1) * NAME_UNITS_MAX;

export const FRAME_BYTES_MIN = alignFrame(FIXED_BYTES + 2 * SCALAR_TEXTS);
/** No frame is longer, whatever the record holds. */
export const FRAME_BYTES_MAX = alignFrame(
  FIXED_BYTES + 2 * TEXTS_MAX + TEXT_UNITS_MAX * UTF8_BYTES_PER_UNIT_MAX,
);

export const ABORTED = 1 << 8;
export const ASCII = 1 << 9;
export const PLAIN = 1 << 10;
export const VERSION_MASK = 0xff;

/** Frames begin and end at multiples of 8. */
export function alignFrame(bytes: number): number {
  return (bytes + 7) & ~7;
}

/**
 * `plain` texts are printable ASCII without `"` and `\`. The encoder sees every unit anyway; knowing it halves the
 * cost of a log line, which then needs no second look (measured: 2.4 µs to 1.1 µs).
 */
export type TextForm = 'plain' | 'any';
