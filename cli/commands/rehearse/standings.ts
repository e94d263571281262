import { RESOURCE_TYPE } from '../../../lambda/contract.ts';
import type { Template } from '../../../local/cloudformation/template.ts';
import type { StandingOf } from '../../rehearsal/narrate.ts';

/** Types of resources that make code live when they change. */
const LIVE = new Set([
  'AWS::AppRunner::Service',
  'AWS::ECS::Service',
  'AWS::Lambda::Alias',
  'AWS::Lambda::Function',
  'AWS::StepFunctions::StateMachine',
]);

/** Reads from the templates what waits for the migrations, and which code goes live only through it. */
export function standingsIn(templates: readonly Template[]): StandingOf {
  const live = new Set<string>();
  const behind = new Set<string>();
  for (const { Resources } of templates) {
    const gates = Object.keys(Resources).filter((id) => Resources[id]?.Type === RESOURCE_TYPE);
    for (const [id, { Type, DependsOn, Properties }] of Object.entries(Resources)) {
      if (LIVE.has(Type) && DependsOn.some((other) => gates.includes(other))) {
        live.add(id);
        if (Type === 'AWS::Lambda::Alias') addNamed(behind, Properties['FunctionName']);
      }
      if (Type === RESOURCE_TYPE) {
        const version = Resources[namedBy(Properties['RunnerArn'])];
        addNamed(behind, version?.Properties['FunctionName']);
      }
    }
  }
  return ({ logicalId }) => {
    if (live.has(logicalId)) return 'live';
    return behind.has(logicalId) ? 'behind' : 'other';
  };
}

function addNamed(to: Set<string>, reference: unknown): void {
  const id = namedBy(reference);
  if (id !== '') to.add(id);
}

/** The logical id in a reference of a template. */
function namedBy(reference: unknown): string {
  return /"(?:Ref|Fn::GetAtt)":\[?"([^"]+)"/.exec(JSON.stringify(reference ?? ''))?.[1] ?? '';
}
