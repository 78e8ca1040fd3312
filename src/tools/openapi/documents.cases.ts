/** Documents to import, by file name. Written for these tests, after the habits of real ones. */

export const PETSTORE: Readonly<Record<string, string>> = {
  'petstore.yaml': `openapi: 3.0.3
info: { title: Pet Store, version: 1.4.0 }
servers:
  - url: https://{region}.pets.example/v1
    variables: { region: { default: eu } }
  - url: https://sandbox.pets.example/v1
security: [{ petstore_auth: [] }]
tags: [{ name: Pets }]
paths:
  /pets:
    get:
      operationId: listPets
      summary: "List pets: all of them"
      tags: [Pets]
      security: []
      parameters:
        - { name: limit, in: query, schema: { type: integer, format: int32 } }
      responses: { '200': { description: ok } }
    post:
      operationId: createPet
      description: |
        Adds a pet.

        It has to have a name.
      tags: [Pets, Write Access]
      requestBody: { $ref: '#/components/requestBodies/Pet' }
      responses: { '201': { description: made } }
  /pets/{pet-id}:
    parameters:
      - { name: pet-id, in: path, required: true, schema: { type: string } }
    get:
      operationId: showPet
      security: [{}, { petstore_auth: [] }]
      responses: { '200': { description: ok } }
    delete:
      deprecated: true
      responses: { '204': { description: gone } }
components:
  securitySchemes:
    petstore_auth: { type: http, scheme: bearer }
  requestBodies:
    Pet:
      required: true
      content: { application/json: { schema: { $ref: '#/components/schemas/Pet' } } }
  schemas:
    Pet:
      type: object
      required: [name]
      properties:
        name: { type: string, nullable: true }
        xml: { type: string }
        friend: { $ref: '#/components/schemas/Pet' }
      example: { name: Rex }
`,
};

export const ORDERS: Readonly<Record<string, string>> = {
  'orders.yaml': `openapi: 3.1.0
info: { title: Orders, version: "2.0", summary: Orders of shops }
servers: [{ url: "http://127.0.0.1:9001" }]
paths:
  /orders:
    $ref: ./paths/orders.yaml
  /orders/{id}/lines/{line}:
    put:
      operationId: orders.line.replace
      parameters:
        - { name: id, in: path, required: true, schema: { type: string, format: uuid } }
        - { name: line, in: path, required: true, schema: { type: integer } }
        - { name: X-Request-Id, in: header, schema: { type: string } }
        - { name: session, in: cookie, schema: { type: string } }
      requestBody:
        required: true
        content:
          application/json: { schema: { $ref: './schemas/line.yaml' } }
          application/xml: { schema: { type: object } }
      responses: { '204': { description: done } }
webhooks:
  orderShipped:
    post: { responses: { '200': { description: ok } } }
`,
  'paths/orders.yaml': `post:
  operationId: placeOrder
  requestBody:
    required: true
    content:
      application/json:
        schema:
          type: object
          required: [lines]
          properties:
            lines: { type: array, items: { $ref: '../schemas/line.yaml' }, maxItems: 100 }
  callbacks:
    onShipped:
      '{$request.body#/url}': { post: { responses: { '200': { description: ok } } } }
  responses: { '201': { description: made } }
`,
  'schemas/line.yaml': `type: object
properties:
  sku: { type: string }
  parts: { type: array, items: { $ref: '#' } }
`,
};

export const NASTY: Readonly<Record<string, string>> = {
  'nasty.json': JSON.stringify({
    openapi: '3.1.0',
    info: { title: '💥 *** ', version: '1.10' },
    servers: [{ url: 'https://api.example/base path/' }],
    paths: {
      '/files/{name}.{ext}': {
        parameters: [
          { name: 'name', in: 'path', required: true, schema: {} },
          { name: 'ext', in: 'path', required: true, schema: {} },
        ],
        get: { responses: { 200: { description: 'ok' } } },
      },
      '/größe/{1st}': {
        parameters: [{ name: '1st', in: 'path', required: true, schema: {}, style: 'matrix' }],
        get: {
          operationId: 'no',
          summary: '- yes: "no" # 1',
          tags: ['null', 'ü'],
          responses: { 200: { description: 'ok' } },
        },
        trace: { responses: { 200: { description: 'ok' } } },
      },
      '/a': {
        get: { operationId: 'twice', responses: { 200: { description: 'ok' } } },
        post: {
          operationId: 'Twice!',
          requestBody: { content: { 'multipart/form-data': { schema: { type: 'object' } } } },
          responses: { 200: { description: 'ok' } },
        },
      },
    },
  }),
};

/** What version 3.1 brought: path items among the components, webhooks, words beside `$ref`, all of JSON Schema. */
export const BOOKS: Readonly<Record<string, string>> = {
  'books.yaml': `openapi: 3.1.0
info: { title: Books, version: "2" }
jsonSchemaDialect: https://json-schema.org/draft/2020-12/schema
servers: [{ url: "http://127.0.0.1:9001" }]
security: [{ key: [] }]
paths:
  /books: { $ref: "#/components/pathItems/books" }
webhooks:
  sold: { post: { responses: { "200": { description: ok } } } }
components:
  securitySchemes: { key: { type: http, scheme: bearer } }
  pathItems:
    books:
      post:
        operationId: addBook
        requestBody:
          required: true
          content:
            application/json:
              schema:
                $ref: "#/components/schemas/Book"
                description: A book, as its publisher knows it.
                required: [title]
        responses: { "201": { description: made } }
  schemas:
    Book:
      type: object
      required: [kind]
      properties:
        kind: { const: book }
        title: { type: string, examples: [Emma] }
        subtitle: { type: ["string", "null"] }
        price: { type: number, exclusiveMinimum: 0 }
`,
};
