//! Which value of a clause goes into which parameter, all at once: every pair has a score for what speaks for it, and the
//! best way to pair them counts.

/// Parameters, and values, that are paired at most.
const MOST: usize = 12;

/// What it costs to leave a value without a parameter.
const LEFT_OVER: f64 = 0.4;

/// The best pairing: for each value (row) the parameter (column) that it goes into. A pair without a score cannot be.
pub(super) fn best(scores: &[Vec<Option<f64>>]) -> Vec<Option<usize>> {
    let rows = scores.len().min(MOST);
    let columns = scores.iter().map(Vec::len).max().unwrap_or(0).min(MOST);
    let masks = 1_usize << columns;
    // What can still be had from row `r` on, where the columns of the mask are taken; and the choice that gives it.
    let mut worth = vec![0.0_f64; masks];
    let mut choices: Vec<Vec<Option<usize>>> = Vec::with_capacity(rows);
    for row in scores.iter().take(rows).rev() {
        let mut next = vec![0.0_f64; masks];
        let mut choice = vec![None; masks];
        for mask in 0..masks {
            next[mask] = worth[mask] - LEFT_OVER;
            for (column, score) in row.iter().enumerate().take(columns) {
                let Some(score) = score.filter(|_| mask & (1 << column) == 0) else { continue };
                let with = score + worth[mask | (1 << column)];
                if with > next[mask] {
                    next[mask] = with;
                    choice[mask] = Some(column);
                }
            }
        }
        worth = next;
        choices.push(choice);
    }
    choices.reverse();
    let mut mask = 0;
    let mut found: Vec<Option<usize>> = choices
        .iter()
        .map(|choice| {
            let column = choice[mask];
            mask |= column.map_or(0, |column| 1 << column);
            column
        })
        .collect();
    found.resize(scores.len(), None);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_best_pairs_together_beat_the_best_pair_alone() {
        let scores = [vec![Some(3.0), Some(2.9)], vec![Some(2.5), None]];
        assert_eq!(best(&scores), [Some(1), Some(0)]);
        assert_eq!(best(&[vec![None], vec![Some(-1.0)]]), [None, None]);
        assert!(best(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn no_parameter_gets_two_values(
            scores in proptest::collection::vec(proptest::collection::vec(proptest::option::of(-5.0..5.0_f64), 4), 0..15)
        ) {
            let found = best(&scores);
            prop_assert_eq!(found.len(), scores.len());
            let mut taken: Vec<usize> = found.iter().flatten().copied().collect();
            taken.sort_unstable();
            let all = taken.len();
            taken.dedup();
            prop_assert_eq!(all, taken.len());
        }
    }
}
