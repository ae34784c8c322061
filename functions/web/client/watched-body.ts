/** Returns the same answer. Calls `onEnd` when its body has been read, has broken off or was cancelled. */
export function watchBody(response: Response, onEnd: () => void): Response {
  const reader = response.body?.getReader()
  if (!reader) {
    onEnd()
    return response
  }
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read()
        if (!done) return controller.enqueue(value)
      } catch (error) {
        onEnd()
        throw error
      }
      onEnd()
      controller.close()
    },
    cancel(reason) {
      onEnd()
      return reader.cancel(reason)
    },
  })
  return new Response(body, response)
}
