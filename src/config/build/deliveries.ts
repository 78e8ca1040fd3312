import type { Delivery } from '../../model/world.ts';
import type { DeliveryDocument, PortunusDocument } from '../documents.ts';
import { below, type Here, type Report, valueAt } from '../finding.ts';
import { clip } from '../show.ts';
import { resolvePath } from './paths.ts';
import type { Checked } from './sources.ts';

/** Where alerts go, besides the log. */
export function buildDeliveries(
  { file, document }: Checked<PortunusDocument>,
  projectFolder: string,
  report: Report,
): ReadonlyMap<string, Delivery> {
  const here: Here = { file, path: ['deliveries'] };
  const deliveries = new Map<string, Delivery>();
  for (const [name, settings] of Object.entries(document.deliveries)) {
    const delivery = buildDelivery(name, settings, below(here, name), projectFolder, report);
    if (delivery !== null) deliveries.set(name, delivery);
  }
  return deliveries;
}

function buildDelivery(
  name: string,
  { webhook, secretFile, takes, from, audit }: DeliveryDocument,
  here: Here,
  projectFolder: string,
  report: Report,
): Delivery | null {
  const secret = resolvePath(secretFile, below(here, 'secretFile'), projectFolder, report);
  const help = urlHelp(webhook);
  if (help !== null) {
    const message = `"${clip(webhook)}" is not an address that alerts can be sent to.`;
    report({ code: 'PT3129', message, target: valueAt(below(here, 'webhook')), help });
  }
  if (secret === null || help !== null) return null;
  const place = here.file.placeOf(here.path);
  return { name, url: webhook, secretFile: secret, takes, from, audit, place };
}

/** What is wrong with an address, as what to write instead; null for nothing. */
function urlHelp(written: string): string | null {
  const url = URL.canParse(written) ? new URL(written) : null;
  if (url === null || !/^https?:\/\//.test(written))
    return 'Write it like https://hooks.example.com/portunus.';
  if (url.username !== '' || url.password !== '')
    return 'Remove what stands before the @: messages are signed, and files are no place for passwords.';
  return url.hash === '' ? null : 'Remove the fragment: it is never sent.';
}
