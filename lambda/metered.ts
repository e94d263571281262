import type { Ports, RunNote } from './engine/ports.ts';

/** Ports whose notes are heard by meters before they are told. */
export function metered(
  ports: Ports,
  ...meters: readonly { readonly hear: (note: RunNote) => void }[]
): Ports {
  return {
    ...ports,
    tell(note) {
      for (const { hear } of meters) hear(note);
      ports.tell(note);
    },
  };
}
