import { afterEach, describe, expect, test, vi } from 'vitest';
import { buildApp, serve } from '../../src/service/index.js';
import { collectionDouble } from './collection-double.js';

const collections = [collectionDouble()];

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('with a token', () => {
  const get = async (url: string, authorization?: string) => {
    const app = await buildApp({ collections, token: 'secret-token' });
    const response = await app.inject({ url, headers: authorization === undefined ? {} : { authorization } });
    await app.close();
    return response;
  };

  test('every read under /v1 needs it, before anything else is looked at', async () => {
    for (const url of ['/v1/collections', '/v1/collections/none', '/v1/collections/double/items/1/similar?k=0']) {
      const response = await get(url);
      expect(response.statusCode).toBe(401);
      expect(response.headers['www-authenticate']).toBe('Bearer realm="nigh"');
      expect(response.json()).toMatchObject({ code: 'UNAUTHORIZED', status: 401 });
    }
  });

  test.each([
    'Bearer wrong',
    'Bearer secret-toke',
    'Bearer secret-token2',
    'Bearer',
    'Basic secret-token',
    'secret-token',
  ])('%s is not it', async (authorization) => {
    const response = await get('/v1/collections', authorization);
    expect(response.statusCode).toBe(401);
    expect(response.body).not.toContain('secret-token');
  });

  test.each(['Bearer secret-token', 'bearer secret-token', 'Bearer  secret-token '])(
    '%s is it',
    async (authorization) => {
      expect((await get('/v1/collections', authorization)).statusCode).toBe(200);
    },
  );

  test('what holds nothing of a collection needs none', async () => {
    for (const url of ['/', '/explorer/explorer.js', '/healthz', '/readyz', '/openapi.json', '/docs']) {
      expect((await get(url)).statusCode).toBe(200);
    }
  });

  test('the OpenAPI document says so, and says nothing of it without one', async () => {
    const document = (await get('/openapi.json')).json();
    expect(document.components.securitySchemes.token).toEqual({ type: 'http', scheme: 'bearer' });
    expect(document.security).toEqual([{ token: [] }]);
    expect(document.paths['/healthz'].get.security).toEqual([]);
    const open = await buildApp({ collections });
    expect((await open.inject('/openapi.json')).json().security).toBeUndefined();
    await open.close();
  });
});

describe('listening', () => {
  test('off loopback it refuses to start without NIGH_TOKEN', async () => {
    vi.stubEnv('NIGH_TOKEN', undefined);
    for (const host of ['0.0.0.0', '::']) {
      await expect(serve({ collections, host, port: 0 })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining('NIGH_TOKEN'),
      });
    }
    vi.stubEnv('NIGH_TOKEN', '');
    await expect(serve({ collections, host: '0.0.0.0', port: 0 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('off loopback with NIGH_TOKEN reads need it', async () => {
    vi.stubEnv('NIGH_TOKEN', 'of-the-environment');
    await using service = await serve({ collections, host: '0.0.0.0', port: 0 });
    const url = `http://127.0.0.1:${service.port}/v1/collections`;
    expect((await fetch(url)).status).toBe(401);
    expect((await fetch(url, { headers: { authorization: 'Bearer of-the-environment' } })).status).toBe(200);
  });

  test.each(['127.0.0.1', 'localhost', '127.1.2.3'])('on %s reads need none', async (host) => {
    vi.stubEnv('NIGH_TOKEN', 'of-the-environment');
    await using service = await serve({ collections, host, port: 0 });
    expect((await fetch(`${service.url}/v1/collections`)).status).toBe(200);
  });

  test('a token that is given is asked for on loopback too', async () => {
    await using service = await serve({ collections, port: 0, token: 'given' });
    expect((await fetch(`${service.url}/v1/collections`)).status).toBe(401);
  });
});
