/** Lets CDK hold what `synth` makes against its rules for CloudFormation, which takes two seconds and is off in other tests. */
export function validated<T>(synth: () => T): T {
  const before = process.env['CDK_VALIDATION'];
  delete process.env['CDK_VALIDATION'];
  try {
    return synth();
  } finally {
    if (before !== undefined) process.env['CDK_VALIDATION'] = before;
  }
}
