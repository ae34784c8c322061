import { queryOptions } from '@tanstack/react-query'
import { api } from './api.ts'

const readPicture = (signal?: AbortSignal) => api.get('/api/platform/topology', signal ? { signal } : {})

/** What runs, and what leads where. */
export type BankPicture = Awaited<ReturnType<typeof readPicture>>
export type PicturedFunction = BankPicture['functions'][number]
export type PicturedTrigger = BankPicture['triggers'][number]

/** The picture of the bank. The stream keeps it up to date (platform-stream.ts). */
export const pictureQuery = () =>
  queryOptions({
    queryKey: ['platform', 'topology'],
    queryFn: ({ signal }) => readPicture(signal),
    staleTime: Infinity,
  })

/** The routes and the manifest of a function. */
export const functionQuery = (name: string) =>
  queryOptions({
    queryKey: ['platform', 'functions', name],
    queryFn: ({ signal }) => api.get('/api/platform/functions/{name}', { params: { name }, signal }),
  })

/** Where the bank runs, and what it can show. */
export const platformQuery = () =>
  queryOptions({
    queryKey: ['platform'],
    queryFn: ({ signal }) => api.get('/api/platform', { signal }),
    staleTime: Infinity,
  })
