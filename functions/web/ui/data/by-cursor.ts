/** How a list goes on: each page of the bank has the cursor of the next one, or null. */
export const byCursor = {
  initialPageParam: undefined as string | undefined,
  getNextPageParam: ({ next_cursor: cursor }: { next_cursor: string | null }): string | undefined =>
    cursor ?? undefined,
}
