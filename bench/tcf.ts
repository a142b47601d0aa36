import { TCString } from '@iabtechlabtcf/core';
import { encodedStrings } from '../conformance/tcf/encoded-strings.ts';
import { decodeTcString } from '../domain/tcf.ts';
import { cpuMicros } from './measure.ts';
import { seeded } from './random.ts';

/** TC strings that are decoded in a round: few, since the oracle takes up to milliseconds for one of them. */
const STRINGS = 400;

/** CPU microseconds per TC string of 100 to 800 characters, which the oracle wrote, and their mean length in characters. */
export type TcfCost = { decoderUs: number; oracleUs: number; characters: number };

/** Measures the door's decoder beside the oracle, turn by turn over the same strings. */
export async function measureTcf(seed: number): Promise<TcfCost> {
  const strings = encodedStrings(seeded(seed), STRINGS);
  // A request's parameters are new strings, cut out of its query.
  const prepare = (from: number, to: number) => strings.slice(from, to).map((value) => ` ${value}`.slice(1));
  const decode = (value: string): number => {
    const decoded = decodeTcString(value);
    return decoded.ok ? decoded.tc.cmpId : 0;
  };
  const ask = (value: string): number => Number(TCString.decode(value).cmpId);
  const task = (read: (value: string) => number) => ({
    prepare,
    run: (values: string[]) => values.reduce((sum, value) => sum + read(value), 0),
  });
  const [decoderUs, oracleUs] = await cpuMicros(STRINGS, [task(decode), task(ask)]);
  return {
    decoderUs: decoderUs as number,
    oracleUs: oracleUs as number,
    characters: strings.reduce((sum, { length }) => sum + length, 0) / STRINGS,
  };
}
