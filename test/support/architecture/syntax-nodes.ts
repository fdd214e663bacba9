// A walk over a syntax tree whose nodes are looked at by their fields, whatever their kind.
// Knows the shape of trees (ESTree as the parser of vite gives it) and nothing of the rules.

/** Fields by which nodes hold others, or what they say; anything else is of no interest here. */
export type AnyNode = { readonly type: string } & Readonly<Record<string, unknown>>;

/** Calls `onNode` for the node and all below it, a parent before what it holds. */
export function visit(
  node: unknown,
  onNode: (node: AnyNode, parent: AnyNode | undefined, field: string) => void,
  parent?: AnyNode,
  field = '',
): void {
  if (Array.isArray(node)) {
    for (const item of node) visit(item, onNode, parent, field);
  } else if (isNode(node)) {
    onNode(node, parent, field);
    for (const [key, value] of Object.entries(node)) visit(value, onNode, node, key);
  }
}

export function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

/** The name of an identifier; undefined for every other node. */
export function nameOf(value: unknown): string | undefined {
  return isNode(value) && value.type === 'Identifier' && typeof value.name === 'string' ? value.name : undefined;
}

/** The text of a string literal; undefined for every other node. */
export function readLiteral(value: unknown): string | undefined {
  return isNode(value) && value.type === 'Literal' && typeof value.value === 'string' ? value.value : undefined;
}
