import { seeded } from '../../bench/random.ts';

export type SimulatedProfile = {
  profileId: string;
  /** Which of the groups it is like. */
  taste: number;
  isSeed: boolean;
  /** Rows of table `features`. */
  features: readonly { family: string; feature: string }[];
};

/** Groups of people with a taste of their own; the seed comes from the first. */
export const TASTES = 4;
const PRODUCTS_PER_TASTE = 12;
/** How likely somebody looks at a product of the own taste, and at another. */
const OWN = 0.3;
const OTHER = 0.07;
/** How likely somebody of the first taste has ordered already, and anybody else. */
const ORDERED = 0.5;
const ORDERED_OTHER = 0.02;

/**
 * People with tastes, of whom some have ordered: the seed of a lookalike. Half of the first taste has not ordered, and is to
 * be found. Features are of the families that `sql/features.sql` makes, those of the orders among them.
 */
export function simulatedProfiles(options: { seed: number; profiles: number }): SimulatedProfile[] {
  const random = seeded(options.seed);
  return Array.from({ length: options.profiles }, (_, i) => {
    const taste = Math.floor(random() * TASTES);
    const isSeed = random() < (taste === 0 ? ORDERED : ORDERED_OTHER);
    const features = new Map<string, { family: string; feature: string }>();
    const add = (family: string, feature: string) => features.set(`${family} ${feature}`, { family, feature });
    let views = 0;
    for (let product = 0; product < TASTES * PRODUCTS_PER_TASTE; product++) {
      const of = Math.floor(product / PRODUCTS_PER_TASTE);
      if (random() > (of === taste ? OWN : OTHER)) continue;
      views++;
      add('product', `Product Viewed:p${product}`);
      add('category', `Product Viewed:taste-${of}`);
      if (random() < 0.2) add('product_often', `Product Viewed:p${product}`);
    }
    if (views > 0) add('count', `Product Viewed:${views === 1 ? '1' : views <= 3 ? '2-3' : '4+'}`);
    add('count', `Page Viewed:${random() < 0.5 ? '1' : '2-3'}`);
    add('device', `Page Viewed:${random() < 0.6 ? 'mobile' : 'desktop'}`);
    if (isSeed) {
      add('count', 'Order Completed:1');
      add('product', `Order Completed:p${Math.floor(random() * PRODUCTS_PER_TASTE)}`);
      add('category', 'Order Completed:taste-0');
    }
    return { profileId: `d.simulated-${i}`, taste, isSeed, features: [...features.values()] };
  });
}
