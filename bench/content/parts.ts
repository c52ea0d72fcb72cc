export const contentParts = ['examples', 'titles', 'pictures', 'text-speed', 'title-speed', 'picture-speed'] as const;

export type ContentPart = (typeof contentParts)[number];
