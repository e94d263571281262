import type { CfnResource } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { resourcesIn } from './dependency-graph.ts';
import { goesLive } from './goes-live.ts';
import { misused } from './misused.ts';

/** Lets the target wait for `gatekeeper`: by its smallest resource that makes code live, else with all it consists of. */
export function hold(target: IConstruct, gatekeeper: IConstruct, migrations: IConstruct): void {
  if (resourcesIn(target).length === 0) {
    throw misused(
      migrations,
      `'${target.node.path}' cannot wait for the migrations, because no stack of this app deploys it.`,
      `Let 'runBefore' name what this app deploys; something imported goes live whenever its own stack says so.`,
    );
  }
  partThatWaits(target).node.addDependency(gatekeeper);
}

/** Dependencies are resolved at synth, so a whole construct stands for what is added to it later, too. */
export function partThatWaits(target: IConstruct): IConstruct {
  const own = target.node.defaultChild;
  return goesLive(own) ? own : target;
}

/** The resources that wait when this target is held. */
export function heldOf(target: IConstruct): readonly CfnResource[] {
  const own = target.node.defaultChild;
  return goesLive(own) ? [own] : resourcesIn(target);
}

/** Refuses to hold what the migrations cannot do without, at the line that asks for it. */
export function refuseOwnNeeds(
  migrations: IConstruct,
  target: IConstruct,
  needs: readonly IConstruct[],
): void {
  const needed = needs.find((one) => one.node.scopes.includes(target) || target.node.scopes.includes(one));
  if (needed === undefined) return;
  throw misused(
    migrations,
    `'${target.node.path}' cannot wait for the migrations, because they need '${needed.node.path}'.`,
    `Let 'runBefore' name what serves your users: an alias, a function, a service.`,
  );
}
