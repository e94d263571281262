import * as v from 'valibot';

import { LocalError } from '../errors.ts';

const policy = v.optional(v.picklist(['Delete', 'Retain', 'RetainExceptOnCreate', 'Snapshot']), 'Delete');
const record = v.record(v.string(), v.unknown());

const resourceSchema = v.object({
  Type: v.string(),
  Properties: v.optional(record, {}),
  DependsOn: v.optional(
    v.union([
      v.array(v.string()),
      v.pipe(
        v.string(),
        v.transform((one) => [one]),
      ),
    ]),
    [],
  ),
  Condition: v.optional(v.string()),
  DeletionPolicy: policy,
  UpdateReplacePolicy: policy,
  Metadata: v.optional(record, {}),
});

const templateSchema = v.object({
  Parameters: v.optional(
    v.record(v.string(), v.object({ Type: v.string(), Default: v.optional(v.unknown()) })),
    {},
  ),
  Mappings: v.optional(v.record(v.string(), v.record(v.string(), record)), {}),
  Conditions: v.optional(record, {}),
  Resources: v.record(v.string(), resourceSchema),
  Outputs: v.optional(
    v.record(
      v.string(),
      v.object({
        Value: v.unknown(),
        Condition: v.optional(v.string()),
        Export: v.optional(v.object({ Name: v.unknown() })),
      }),
    ),
    {},
  ),
});

/** The parts of a CloudFormation template that are played here; all that may be left out is filled in. */
export type Template = v.InferOutput<typeof templateSchema>;

export type ResourceDefinition = Template['Resources'][string];

export type DeletionPolicy = ResourceDefinition['DeletionPolicy'];

/** Checks the form of a template. */
export function parseTemplate(json: unknown): Template {
  const parsed = v.safeParse(templateSchema, json);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw new LocalError(
      'template-unsupported',
      `The template cannot be read: ${v.getDotPath(issue) ?? 'template'}: ${issue.message}`,
    );
  }
  return parsed.output;
}

/** The construct that made a resource, as CDK writes it into the metadata. */
export function constructPath({ Metadata }: ResourceDefinition): string | undefined {
  const path = Metadata['aws:cdk:path'];
  return typeof path === 'string' ? path : undefined;
}
