/** Texts of tests as documents. */
import { LIMIT_DEFAULTS } from '../limits.ts';
import type { JsonDocument } from './document.ts';
import { scanJson } from './scan.ts';

/** Null for what is not sound. */
export function jsonText(text: Uint8Array): JsonDocument | null {
  const scanned = scanJson(text, {
    bytesMax: text.length,
    depthMax: LIMIT_DEFAULTS.requestJsonDepth,
    nodesMax: LIMIT_DEFAULTS.requestJsonValues,
    membersMax: LIMIT_DEFAULTS.requestJsonValues,
    stringBytesMax: text.length,
    numberBytesMax: 100,
  });
  return scanned.ok ? scanned.value : null;
}
