/** Takes turns: every side once a round, in an order that moves on, so that no place in the row favours one. */

/** Calls `take` with each index of 0..sides-1, beginning with another one each round. */
export const inTurn = async (
  sides: number,
  round: number,
  take: (side: number) => Promise<void> | void,
): Promise<void> => {
  for (let i = 0; i < sides; i++) {
    // Every second round runs backwards: whoever comes after an expensive neighbour comes before it as often.
    const place = round % 2 === 0 ? i : sides - 1 - i;
    await take((place + (round >> 1)) % sides);
  }
};
