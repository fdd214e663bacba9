// Which collections of the configuration cover a place, and who owns them.
// Ownership stands in the configuration alone: an account owns by its verified address, which its caller has to have read.

import type { Config } from '../../config/compiled/config.ts';
import type { CollectionConfig } from '../../config/compiled/control-config.ts';
import { covers } from '../../core/model/path.ts';

export function collectionNamed(config: Config, name: string): CollectionConfig | null {
  return config.collections.find((collection) => collection.name === name) ?? null;
}

/**
 * @param host  canonical, without port
 * @param path  canonical
 * @returns the most specific one first
 */
export function collectionsCovering(config: Config, host: string, path: string): CollectionConfig[] {
  return config.collections
    .filter((collection) => collection.host === host && covers(collection.path, path))
    .sort((left, right) => right.path.length - left.path.length);
}

/** @param email  verified and normalised */
export function owns(collection: CollectionConfig, email: string): boolean {
  return collection.owners.includes(email);
}

export function collectionsOwnedBy(config: Config, email: string): CollectionConfig[] {
  return config.collections.filter((collection) => owns(collection, email));
}
