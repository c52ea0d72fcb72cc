export const contentParts = ['examples', 'titles', 'pictures', 'speed'] as const;

export type ContentPart = (typeof contentParts)[number];
