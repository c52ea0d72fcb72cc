import { ownPackage } from '../core/package-root.js';

/** The package's version: the OpenAPI document's, and part of every ETag. */
export const apiVersion = ownPackage().version;
