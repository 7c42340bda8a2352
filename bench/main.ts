/**
 * `npm run -s bench -- [--json] [--only NAME]`: each figure beside its yardstick, as a ratio in one run.
 */
import { parseArgs } from 'node:util';
import { bareRelayRoles } from './bare-relay.ts';
import { bareTunnelRoles } from './bare-tunnel.ts';
import { codecFigures } from './codec.ts';
import { destinationRoles } from './destination.ts';
import { encryptionFigures } from './encryption.ts';
import type { Figure, FigureSource } from './measure.ts';
import { policyFigures } from './policy.ts';
import { portFigures } from './ports.ts';
import { playRole } from './processes.ts';
import { sessionFigures } from './session.ts';
import { signatureFigures } from './signatures.ts';
import { stackRoles } from './stack.ts';
import { storeFigures } from './store.ts';

if (!(await playRole({ ...stackRoles, ...bareRelayRoles, ...bareTunnelRoles, ...destinationRoles })))
  await main();

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { json: { type: 'boolean', default: false }, only: { type: 'string' } },
  });
  const sources: FigureSource[] = [
    ...codecFigures,
    ...signatureFigures,
    ...sessionFigures,
    ...encryptionFigures,
    ...portFigures,
    ...storeFigures,
    ...policyFigures,
  ];
  const chosen = sources.filter(({ name }) => values.only === undefined || name.startsWith(values.only));
  if (chosen.length === 0) {
    console.error(
      `No figure is named ${values.only}. There are: ${sources.map(({ name }) => name).join(', ')}.`,
    );
    process.exit(2);
  }

  const figures: Figure[] = [];
  if (!values.json) console.log(row('figure', 'value', 'yardstick', 'ratio', 'unit', 'beside'));
  for (const source of chosen) {
    const figure = await source.measure();
    figures.push(figure);
    const { name, value, yardstick, ratio, unit, beside } = figure;
    if (!values.json)
      console.log(row(name, String(value), String(yardstick), ratio.toFixed(2), unit, beside));
  }
  if (values.json) {
    const entries = figures.map(({ name, value, yardstick, ratio, unit }) => [
      name,
      { value, yardstick, ratio, unit },
    ]);
    console.log(JSON.stringify(Object.fromEntries(entries), undefined, 2));
  }
  process.exit(0);
}

function row(
  name: string,
  value: string,
  yardstick: string,
  ratio: string,
  unit: string,
  beside: string,
): string {
  return `${name.padEnd(26)}${value.padStart(12)}${yardstick.padStart(12)}${ratio.padStart(8)}  ${unit.padEnd(9)}${beside}`;
}
