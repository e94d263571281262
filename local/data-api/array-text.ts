import { ServiceError } from './service-error.ts';

/** An element: a quoted one, or one that ends at the next comma or brace. */
const ELEMENT = /"((?:[^"\\]|\\[\s\S])*)"|([^",{}]+)/uy;

/**
 * The elements of a one-dimensional array in PostgreSQL's text form; an unquoted NULL is null.
 * https://www.postgresql.org/docs/17/arrays.html#ARRAYS-IO
 */
export function arrayElements(text: string): readonly (string | null)[] {
  // A bound other than 1 is written in front, as `[0:1]={a,b}`; several dimensions have several pairs.
  const [, bounds = '', body = ''] = /^((?:\[[^\]]*\])*=?)\{([\s\S]*)\}$/u.exec(text) ?? [];
  if (bounds.includes('][') || body.startsWith('{')) {
    throw new ServiceError('UnsupportedResultException', 'The result contains a multidimensional array.');
  }
  const elements: (string | null)[] = [];
  let at = 0;
  while (at < body.length) {
    ELEMENT.lastIndex = at;
    const [all = ',', quoted, plain] = ELEMENT.exec(body) ?? [];
    if (quoted !== undefined) elements.push(quoted.replaceAll(/\\([\s\S])/gu, '$1'));
    else if (plain !== undefined) elements.push(plain === 'NULL' ? null : plain);
    at += all.length + 1;
  }
  return elements;
}
