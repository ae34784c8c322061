import { infiniteQueryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { BankProblem, NoAnswerError, type Document } from '../../client/index.ts'
import { api } from './api.ts'
import { byCursor } from './by-cursor.ts'
import { newKey } from './new-key.ts'
import { renewSession } from './session-renewal.ts'
import { useSentBy } from './session.ts'

export type { Document }

/** While an image is made anew from its pixels, the list is read again this often, in milliseconds. */
const PROCESSING_MS = 2_000
/** A large file over a slow line. */
const UPLOAD_MS = 10 * 60_000
const PATH = '/api/media/upload'

/** The customer's documents, the newest first, page by page. */
export const documentsQuery = () =>
  infiniteQueryOptions({
    queryKey: ['documents'],
    queryFn: ({ pageParam, signal }) =>
      api.get('/api/media', {
        query: { limit: 30, ...(pageParam !== undefined && { cursor: pageParam }) },
        signal,
      }),
    ...byCursor,
    refetchInterval: ({ state: { data } }) =>
      data?.pages.some(({ items }) => items.some(({ status }) => status === 'processing')) && PROCESSING_MS,
  })

/** A file with the key that makes it one document, however often it is sent. */
export interface Upload {
  file: File
  key: string
}

export const uploadOf = (file: File): Upload => ({ file, key: newKey() })

/** Uploads a file, for a customer if an operator gives `userId`. `sent` is how much of it the bank has taken,
 * from 0 to 1. */
export function useUpload(userId?: string) {
  const [queries, headers] = [useQueryClient(), useSentBy()]
  const [sent, setSent] = useState(0)
  const upload = useMutation({
    mutationFn: async (given: Upload) => {
      setSent(0)
      const path = userId === undefined ? PATH : `${PATH}?user_id=${encodeURIComponent(userId)}`
      const answer = await sendFile(path, given, headers, setSent)
      if (answer.status !== 401 || !(await renewSession()).ok) return documentOf(answer)
      return documentOf(await sendFile(path, given, headers, setSent))
    },
    onSuccess: async () => {
      if (userId !== undefined) void queries.invalidateQueries({ queryKey: ['audit'] })
      await queries.invalidateQueries({ queryKey: documentsQuery().queryKey })
    },
  })
  return { upload, sent }
}

/** Deletes a document and its bytes. */
export function useDeleteDocument() {
  const [queries, headers] = [useQueryClient(), useSentBy()]
  return useMutation({
    mutationFn: (id: string) => api.delete('/api/media/{public_id}', { params: { public_id: id }, headers }),
    onSuccess: () => queries.invalidateQueries({ queryKey: documentsQuery().queryKey }),
  })
}

/** Sends a file. Only an XMLHttpRequest tells how much has gone. Rejects with a NoAnswerError. */
function sendFile(
  path: string,
  { file, key }: Upload,
  headers: Readonly<Record<string, string>>,
  onSent: (part: number) => void,
): Promise<XMLHttpRequest> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    const fail = (why: string) => (): void =>
      reject(new NoAnswerError(`POST ${PATH}`, new Error(why), { attempts: 1 }))
    request.open('POST', path)
    for (const [name, value] of Object.entries({ ...headers, 'idempotency-key': key }))
      request.setRequestHeader(name, value)
    request.timeout = UPLOAD_MS
    request.upload.onprogress = ({ loaded, total }) => onSent(total > 0 ? loaded / total : 0)
    request.onload = () => resolve(request)
    request.onerror = fail('the connection broke')
    request.ontimeout = fail('it took too long')
    const form = new FormData()
    form.append('file', file)
    request.send(form)
  })
}

/** Returns the document that was made. Throws a BankProblem if the bank refused it. */
function documentOf(request: XMLHttpRequest): Document {
  let body: unknown
  try {
    body = JSON.parse(request.responseText)
  } catch {
    body = undefined
  }
  if (request.status === 201) return body as Document
  const headers = new Headers()
  for (const name of ['retry-after', 'traceparent']) {
    const value = request.getResponseHeader(name)
    if (value !== null) headers.set(name, value)
  }
  throw new BankProblem(request.status, headers, body, {
    attempts: 1,
    isOutcomeUnknown: request.status >= 500,
  })
}
