//! Puts the boxes together: one crib that the doors open
