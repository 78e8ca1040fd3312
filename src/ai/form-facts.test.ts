import { describe, expect, it } from 'vitest';
import { scanForm } from '../base/form-data.ts';
import type { CallOperation } from '../model/route-calls.ts';
import { formGrowth, readFormCall } from './form-facts.ts';
import { OPERATIONS } from './operations.ts';

const field = (name: string, value: string, file = ''): string =>
  `--b\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n${value}\r\n`;
const MODEL = field('model', 'm');
const SOUND = field('file', 'x'.repeat(4_000), '; filename="a.mp3"');

function formOf(...fields: readonly string[]) {
  const text = Buffer.from(`${fields.join('')}--b--\r\n`, 'latin1');
  const scanned = scanForm(text, 'b', { partsMax: 10, headBytesMax: 500 });
  if (!scanned.ok) throw new Error(scanned.error.why);
  return scanned.value;
}

function facts(operation: CallOperation, ...fields: readonly string[]) {
  return readFormCall(formOf(...fields), OPERATIONS[operation]);
}

describe('facts of a call that is a form', () => {
  it('are those of its fields, and no length bounds its sound', () => {
    const read = facts('openai/transcriptions', MODEL, field('stream', 'true'), SOUND);
    expect(read).toMatchObject({
      model: 'm',
      streams: true,
      choices: 1,
      images: 0,
      unbounded: 'sound_inside',
    });
    // a token for 400 bytes of a file, and one for each other byte
    const outside = `${MODEL}${field('stream', 'true')}${SOUND}--b--\r\n`.length - 4_000;
    expect(read).toMatchObject({ promptBytes: outside + 10 });
  });

  it('count its pictures', () => {
    const picture = field('image[]', 'x', '; filename="a.png"');
    const read = facts('openai/image-edits', MODEL, field('n', '3'), picture, picture);
    expect(read).toMatchObject({ model: 'm', streams: false, choices: 3, images: 2, unbounded: null });
  });

  it('name no model where it names none', () => {
    expect(facts('openai/translations', SOUND)).toMatchObject({ model: null });
  });

  it.each([
    ['model', 'must be given once', [MODEL, MODEL]],
    ['model', 'must be a text', [field('model', 'm', '; filename="m"')]],
    ['model', 'must be a text', [field('model', '\xff')]],
    ['n', 'must be a whole number, 1 or more', [MODEL, field('n', '0')]],
    ['n', 'must be a whole number, 1 or more', [MODEL, field('n', '1e3')]],
    ['n', 'must be given once', [MODEL, field('n', '1'), field('n', '2')]],
    ['stream', 'must be given once', [MODEL, field('stream', 'true'), field('stream', 'false')]],
  ])('are refused where "%s" %s', (member, why, fields) => {
    expect(facts('openai/image-edits', ...fields)).toEqual({ member, why });
  });
});

it('texts of a form may grow once they are normalised: the worst where they are no UTF-8, and files never', () => {
  // U+FDFA, three bytes, of which normalisation makes 33
  const ligature = '\xef\xb7\xba';
  expect(formGrowth(formOf(MODEL, field('prompt', ligature)))).toBe(30);
  expect(formGrowth(formOf(field('prompt', '\xff\xff')))).toBe(20);
  expect(formGrowth(formOf(field('file', `${ligature}\xff`, '; filename="a.mp3"')))).toBe(0);
});
