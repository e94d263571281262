import { parseArgs } from 'node:util';
import { runCampaign } from './campaign.ts';
import { matrixOf, totalOf } from './matrix.ts';
import { comparePeers, peerTable } from './peers.ts';
import { nameOf } from './points.ts';

/** `npm run campaign`: every fault at every call of every history, and what became of it. */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    pairs: { type: 'string', default: '40' },
    lanes: { type: 'string', default: '4' },
    sample: { type: 'string' },
    only: { type: 'string' },
    peers: { type: 'boolean', default: false },
  },
});

const startedAt = performance.now();
const seconds = (): number => Math.round((performance.now() - startedAt) / 1000);
if (values.peers) {
  const verdicts = await comparePeers(Number(values.lanes));
  process.stdout.write(`${peerTable(verdicts)}\n\n${verdicts.length} points, ${seconds()} s\n`);
} else {
  await breakForerun();
}

async function breakForerun(): Promise<void> {
  const verdicts = await runCampaign({
    seed: Number(values.seed),
    pairs: Number(values.pairs),
    lanes: Number(values.lanes),
    answers: ['hard', 'mild'],
    ...(values.sample === undefined ? {} : { sample: Number(values.sample) }),
    ...(values.only === undefined ? {} : { only: values.only }),
    onVerdict({ point, ending, why }, done, total) {
      if (ending !== 'survived') {
        process.stdout.write(
          `\n${ending}: ${nameOf(point)}: ${why}\n  npm run campaign -- --seed ${values.seed} --pairs ${values.pairs} --only ${nameOf(point)}\n`,
        );
      } else if (done % 250 === 0) {
        process.stdout.write(`  ${point.answers} answers: ${done} of ${total}\n`);
      }
    },
  });
  process.stdout.write(
    `\n${matrixOf(verdicts)}\n\n${totalOf(verdicts)} (seed ${values.seed}, ${seconds()} s)\n`,
  );
  if (verdicts.length === 0 || verdicts.some(({ ending }) => ending !== 'survived')) process.exitCode = 1;
}
