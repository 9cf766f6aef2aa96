// The input types of the mutations, as GraphQL shows them; the rules for their values are in the checks.
import type { Builder } from '../schema/builder.ts'

/** Adds the input types and answers their references. */
export function addInputTypes(builder: Builder) {
  const { Gender, OrderStatus, Severity } = builder.enums

  const EventInput = builder.inputType('EventInput', {
    description:
      'One event. Texts: type up to 64 characters, uri 2,048, postalCode 32, ipAddress 45, the others 100; an empty one\n' +
      'counts as absent. properties: up to 16,384 characters as JSON, 32 levels.',
    fields: (t) => ({
      id: t.id({
        description: 'A UUID of your own: the same id again is a duplicate. Without it the server makes one.',
      }),
      type: t.string({
        required: true,
        description: 'page_view, product, cart, purchase, signup, error, or any other.',
      }),
      timestamp: t.field({
        type: 'DateTime',
        description: 'When it happened; without it: now. At most 5 minutes ahead, and no older than the raw rows kept.',
      }),
      userId: t.id({ description: 'A UUID; the user may be unknown here.' }),
      sessionId: t.id({ description: 'A UUID.' }),
      sequenceNumber: t.int({ description: "The event's place in its session, from 0." }),
      country: t.string({ description: 'Country.' }),
      state: t.string({ description: 'State or region.' }),
      city: t.string({ description: 'City.' }),
      postalCode: t.string({ description: 'Postal code.' }),
      ipAddress: t.string({ description: 'IP address.' }),
      browser: t.string({ description: 'Browser.' }),
      trafficSource: t.string({ description: 'What brought the visitor.' }),
      uri: t.string({ description: 'The page.' }),
      amount: t.field({
        type: 'Decimal',
        description:
          "Money of the event: the order's total on a purchase.\n" +
          'Up to 10 digits before the point and 2 after it; more decimals are rejected, not rounded.',
      }),
      properties: t.field({ type: 'JSON', description: 'Anything else worth keeping.' }),
    }),
  })

  const UserMetricInput = builder.inputType('UserMetricInput', {
    description: 'Page views and time spent of one user.',
    fields: (t) => ({
      userId: t.id({ required: true, description: 'UUID of a registered user.' }),
      pageViews: t.int({ required: true, description: 'From 0.' }),
      duration: t.int({ required: true, description: 'Seconds, from 0.' }),
      timestamp: t.field({ type: 'DateTime', description: 'Without it: now.' }),
    }),
  })

  const UserInput = builder.inputType('UserInput', {
    description: 'A user to register. Texts up to 100 characters, streetAddress 200, email 320, postalCode 32.',
    fields: (t) => ({
      id: t.id({
        description: 'A UUID of your own: the same id again is a duplicate. Without it the server makes one.',
      }),
      firstName: t.string({ required: true, description: 'First name.' }),
      lastName: t.string({ required: true, description: 'Last name.' }),
      email: t.string({ required: true, description: 'E-mail address.' }),
      age: t.int({ required: true, description: 'Years, 0 to 130.' }),
      gender: t.field({ type: Gender, required: true, description: 'Gender.' }),
      streetAddress: t.string({ description: 'Street and number.' }),
      city: t.string({ description: 'City.' }),
      state: t.string({ description: 'State or region.' }),
      postalCode: t.string({ description: 'Postal code.' }),
      country: t.string({ required: true, description: 'Country.' }),
      latitude: t.float({ description: 'Degrees, −90 to 90.' }),
      longitude: t.float({ description: 'Degrees, −180 to 180.' }),
      trafficSource: t.string({ required: true, description: 'What brought the visitor.' }),
      createdAt: t.field({ type: 'DateTime', description: 'Without it: now.' }),
    }),
  })

  const OrderItemInput = builder.inputType('OrderItemInput', {
    description: 'One sold piece.',
    fields: (t) => ({
      id: t.id({ description: 'A UUID of your own; without it the server makes one.' }),
      productId: t.id({ required: true, description: "A product's number." }),
      salePrice: t.field({ type: 'Decimal', description: "Without it: the product's retail price." }),
      inventoryItemId: t.id({
        description: 'UUID of the piece. In stock: it is marked sold. Unknown, or not given: a sold piece is made.',
      }),
    }),
  })

  const OrderInput = builder.inputType('OrderInput', {
    description: 'An order of 1 to 100 items.',
    fields: (t) => ({
      id: t.id({ description: 'A UUID of your own: the same id again is a duplicate, with its items.' }),
      userId: t.id({ required: true, description: 'UUID of a registered user.' }),
      status: t.field({
        type: OrderStatus,
        defaultValue: 'PROCESSING',
        description: 'Where it stands already; a past order may start anywhere.',
      }),
      createdAt: t.field({
        type: 'DateTime',
        description: 'Without it: now. The items and their sale have this time.',
      }),
      items: t.field({ type: [OrderItemInput], required: true, description: 'What is in it.' }),
    }),
  })

  const OrderStatusInput = builder.inputType('OrderStatusInput', {
    description: "A step in an order's life.",
    fields: (t) => ({
      orderId: t.id({ required: true, description: 'A UUID.' }),
      status: t.field({ type: OrderStatus, required: true, description: 'Where the order stands from then on.' }),
      at: t.field({ type: 'DateTime', description: 'When it was taken; without it: now.' }),
    }),
  })

  const MessageInput = builder.inputType('MessageInput', {
    description: 'A message for one of the three columns.',
    fields: (t) => ({
      severity: t.field({ type: Severity, required: true, description: 'The column.' }),
      title: t.string({ required: true, description: 'Up to 200 characters.' }),
      text: t.string({ description: 'Up to 10,000 characters.' }),
      payload: t.field({ type: 'JSON', description: 'Up to 16,384 characters as JSON.' }),
      channel: t.string({ description: 'Up to 100 characters.' }),
      at: t.field({ type: 'DateTime', description: 'Without it: now.' }),
    }),
  })

  const ProductInput = builder.inputType('ProductInput', {
    description: 'A product of the catalogue. Money: up to 8 digits before the point and 2 after it, not negative.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'A whole number from 1; an existing product is overwritten.' }),
      cost: t.field({ type: 'Decimal', required: true, description: 'What it costs the shop.' }),
      category: t.string({ required: true, description: 'Category.' }),
      name: t.string({ required: true, description: 'Name.' }),
      brand: t.string({ required: true, description: 'Brand.' }),
      retailPrice: t.field({ type: 'Decimal', required: true, description: 'What it sells for.' }),
      department: t.string({ required: true, description: 'Department.' }),
      sku: t.string({ required: true, description: 'Stock-keeping unit.' }),
      distributionCenterId: t.id({ required: true, description: "A distribution centre's number." }),
    }),
  })

  const DistributionCenterInput = builder.inputType('DistributionCenterInput', {
    description: 'A place goods are sent from.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'A whole number from 1; an existing centre is overwritten.' }),
      name: t.string({ required: true, description: 'Name.' }),
      latitude: t.float({ required: true, description: 'Degrees, −90 to 90.' }),
      longitude: t.float({ required: true, description: 'Degrees, −180 to 180.' }),
    }),
  })

  return {
    DistributionCenterInput,
    EventInput,
    MessageInput,
    OrderInput,
    OrderStatusInput,
    ProductInput,
    UserInput,
    UserMetricInput,
  }
}
