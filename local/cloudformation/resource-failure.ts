/** A resource did not come to the state that the template asks for; the message is what the stack event says. */
export class ResourceFailure extends Error {
  override readonly name = 'ResourceFailure';
  /** Id of what was made in spite of the failure: the rollback deletes it. */
  readonly physicalId: string | undefined;

  constructor(reason: string, physicalId?: string) {
    super(reason);
    this.physicalId = physicalId;
  }
}
