// Indexes for the lists of links, newest first: all links or the links of one collection, starting at any place of the list.
// No row and no column changes, so older backups can be restored.

export function linkLists(): readonly string[] {
  return [
    'create index links_created on links (created_at, id)',
    'drop index links_collection',
    'create index links_collection on links (collection, created_at, id)',
  ];
}
