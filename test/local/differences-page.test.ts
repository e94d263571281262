import { expect, test } from 'vitest';
import { CLOUD_DIFFERENCES, type Difference, DIFFERENCES, GUESSES } from '../../local/differences.ts';
import { RULES } from '../conformance/rules.ts';

function difference({ rule, kept, what, why }: Difference): string {
  const how = kept === 'no' ? 'Not kept' : 'Kept in part';
  return `- **${rule}: ${RULES[rule] ?? ''}.** ${how}: ${what} ${why}`;
}

const PAGE = `# Where the local services differ from AWS

<!-- Written from local/differences.ts by: npx vitest run test/local/differences-page.test.ts -u -->

The [local AWS](local.md) keeps ${Object.keys(RULES).length - DIFFERENCES.length} of the ${Object.keys(RULES).length} rules of the
conformance suite in full. The suite fails when a rule is neither kept nor listed here, and when something listed here no longer
differs.

## The Data API

${DIFFERENCES.map(difference).join('\n')}

## Guesses about the Data API

On these points nothing about the real service is public. The local one does what is harder on the caller; nothing of Forerun
depends on them.

${GUESSES.map(({ point, choice }) => `- ${point}: ${choice}.`).join('\n')}

## Lambda, CloudFormation, EventBridge and IAM

${CLOUD_DIFFERENCES.map(({ service, what, why }) => `- **${service}.** ${what} ${why}`).join('\n')}
`;

test('docs/local-differences.md says what local/differences.ts says', async () => {
  await expect(PAGE).toMatchFileSnapshot('../../docs/local-differences.md');
});
