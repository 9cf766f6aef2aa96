// The five operations GraphiQL opens with: what streams out, what goes in, and three ways to ask.

/** Tabs in the order they are shown; each works as it stands. */
export const examples: readonly string[] = [
  `# Live: page views, revenue and errors of the last five minutes, second by second.
# A SNAPSHOT comes first, then a DELTA whenever something changed.
subscription LiveMetrics {
  metrics(metrics: [PAGE_VIEWS, REVENUE, ERRORS], window: "PT5M", every: "PT1S") {
    kind
    cursor
    windowStart
    windowEnd
    totals { metric value previous }
    points { bucket values }
  }
}
`,
  `# Send events. The answer means they are committed, and in every aggregate already.
mutation TrackEvents {
  trackEvents(
    events: [
      { type: "page_view", country: "Brasil", browser: "Safari", trafficSource: "Search", uri: "/home" }
      { type: "purchase", country: "Brasil", browser: "Safari", trafficSource: "Search", amount: "42.50" }
      { type: "error", country: "Brasil", browser: "Safari", properties: { step: "checkout" } }
    ]
  ) {
    accepted
    duplicates
    rejected { index code path message }
  }
}
`,
  `# Revenue of the last hour by country: the five largest, and the rest.
query RevenueByCountry {
  metrics(metrics: [REVENUE, ORDERS, AVERAGE_ORDER_VALUE], window: "PT1H", by: COUNTRY, top: 5) {
    windowStart
    windowEnd
    breakdown { key other values }
  }
}
`,
  `# History of any length: the errors of a day, hour by hour, hours without any as 0.
query ErrorsByHour($from: DateTime!, $to: DateTime!) {
  timeSeries(metrics: [ERRORS, PURCHASES, ERROR_RATE], from: $from, to: $to, bucket: "PT1H", gapfill: ZERO) {
    bucket
    values
  }
}
`,
  `# theLook itself: the newest orders that are on their way, who placed them, and what is in them.
query NewestOrders {
  orders(first: 10, where: { statuses: [PROCESSING, SHIPPED] }, orderBy: { field: CREATED_AT, direction: DESC }) {
    totalCount
    pageInfo { hasNextPage endCursor }
    nodes {
      orderId
      status
      createdAt
      user { firstName country }
      items { salePrice status product { name category } }
    }
  }
}
`,
]
