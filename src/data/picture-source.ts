/** Where the pictures of a dataset's items are. Bytes are read when they are asked for, never kept. */
export interface PictureSource {
  /**
   * The picture of an item as the bytes of an image file (JPEG, PNG, WebP, SVG, …), undefined for an item without one. Any number of
   * calls may be under way.
   * @param itemId an id of the dataset's items
   * @throws NighError NOT_FOUND, IO, CAPACITY for a file of more than `maxPictureBytes`, and what fetching throws
   */
  read(itemId: string): Promise<Uint8Array | undefined>;
}

/** Larger files are not taken for pictures. */
export const maxPictureBytes = 64 << 20;
