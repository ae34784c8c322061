import type { DescribedRoute } from '../host/operation.ts'

const healthSchema = (parts: string) =>
  ({
    type: 'object',
    required: ['status', parts],
    properties: { status: { enum: ['ok', 'unavailable'] }, [parts]: { type: 'object' } },
  }) as const

const oneHealthSchema = {
  type: 'object',
  required: ['status'],
  properties: { status: { enum: ['ok', 'unavailable'] } },
} as const

const documentSchema = { type: 'object' } as const

/** The files that the front door answers with, by path. */
export const contractPaths = {
  '/api/openapi.json': 'openapi.json',
  '/api/asyncapi.json': 'asyncapi.json',
  '/asyncapi.json': 'asyncapi.json',
} as const

/** What the front door answers by itself. */
export const ownRoutes: readonly DescribedRoute[] = [
  {
    method: 'GET',
    path: '/api/openapi.json',
    who: 'anyone',
    summary: 'This document',
    answers: { 200: documentSchema },
    etag: true,
  },
  {
    method: 'GET',
    path: '/asyncapi.json',
    who: 'anyone',
    summary: 'All events of the bank, as an AsyncAPI document',
    answers: { 200: documentSchema },
    etag: true,
  },
  {
    method: 'GET',
    path: '/api/asyncapi.json',
    who: 'anyone',
    summary: 'The same document as /asyncapi.json',
    answers: { 200: documentSchema },
    etag: true,
  },
  {
    method: 'GET',
    path: '/.well-known/jwks.json',
    who: 'anyone',
    summary: 'The public keys that verify access tokens (RFC 7517)',
    answers: {
      200: {
        type: 'object',
        required: ['keys'],
        properties: { keys: { type: 'array', items: { type: 'object' } } },
      },
    },
  },
  {
    method: 'GET',
    path: '/health',
    who: 'anyone',
    summary: 'Whether the bank works, with each context and its database',
    answers: { 200: healthSchema('contexts'), 503: healthSchema('contexts') },
  },
  {
    method: 'GET',
    path: '/health/services',
    who: 'operator',
    summary: 'Whether each function works; wakes them all',
    answers: { 200: healthSchema('services'), 503: healthSchema('services') },
  },
  {
    method: 'GET',
    path: '/health/{context}',
    who: 'anyone',
    summary: 'Whether one context works, and its database',
    params: {
      type: 'object',
      additionalProperties: false,
      required: ['context'],
      properties: { context: { type: 'string' } },
    },
    operationId: 'getHealthOfContext',
    answers: { 200: oneHealthSchema, 503: oneHealthSchema },
  },
]
