/** The intent cannot be enforced here. The text names the step; whoever refuses adds the sentence around it. */
export class UnenforceableError extends Error {
  override readonly name = "UnenforceableError";
}
