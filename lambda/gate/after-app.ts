import type { GateAnswer } from './answer.ts';
import { attributes } from './answers.ts';
import type { GateRequest, GivenProperties } from './request.ts';

/** Whether a resource runs the migrations that wait for the app to be live. */
export const isAfterApp = ({ Phase }: GivenProperties): boolean => Phase === 'after';

/**
 * A failure after the app went live does not fail the deploy, unless the user asked for it: CloudFormation would take a live app
 * back for work that the next deploy can do as well.
 */
export function spareLiveApp(asked: GateRequest, answer: GateAnswer): GateAnswer {
  const { ResourceProperties: properties } = asked;
  if (!isAfterApp(properties) || answer.status === 'SUCCESS' || properties.OnAfterFailure === 'fail')
    return answer;
  return leftOver(
    properties,
    `The app is live and stays so, but the migrations after it are not done: ${answer.reason}`,
  );
}

/** Success all the same, for what the next deploy shall do; the metric tells. */
export function leftOver(properties: GivenProperties, why: string): GateAnswer {
  return {
    status: 'SUCCESS',
    reason: `${why} The next deploy that asks the database tries again; {"action":"up"} by hand does it now.`,
    data: attributes(properties),
    isLeftOver: true,
  };
}

/** Measured only where the work was to be done: a rollback neither does it nor makes it undone. */
export function afterFailed({ status, isLeftOver = false, data }: GateAnswer): { AfterFailed?: 0 | 1 } {
  if (isLeftOver || status === 'FAILED') return { AfterFailed: 1 };
  return data['Outcome'] === 'applied' ? { AfterFailed: 0 } : {};
}
