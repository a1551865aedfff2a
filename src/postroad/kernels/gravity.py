"""Doubly constrained gravity: balance a matrix of deterrences to given margins by iterative proportional fitting.

Correct for: any non-negative deterrence matrix whose support admits the margins (a strictly positive matrix always
does), margins with the same sum. Zero margins give zero rows and columns.

Source: Furness (1965), Time function iteration, Traffic Engineering and Control 7; Wilson (1967), A statistical theory
of spatial distribution models, Transportation Research 1; Sinkhorn (1964) for convergence.
"""

from __future__ import annotations

import numpy as np

from postroad.kernels import njit

__all__ = ["balance", "fill_table"]


@njit
def balance(deterrence, origins, destinations, tolerance, max_rounds):
    """Factors that fit a deterrence matrix to both margins.

    One round scales the rows to ``origins`` and then the columns to ``destinations``; the sums run in a fixed order, so
    the result does not depend on threads.

    Parameters
    ----------
    deterrence: float64 (n, m), non-negative.
    origins: float64 (n,), row sums wanted.
    destinations: float64 (m,), column sums wanted; sums to the same total.
    tolerance: relative error of the margins at which to stop.
    max_rounds: rounds after which to stop anyway.

    Returns
    -------
    row_factor float64 (n,), column_factor float64 (m,), rounds run, relative error of the worst column after the last
    row scaling: ``row_factor[i] * deterrence[i, j] * column_factor[j]`` is the table.
    """
    n_rows, n_columns = deterrence.shape
    row_factor = np.zeros(n_rows)
    column_factor = np.ones(n_columns)
    weight = np.zeros(n_columns)
    error = np.inf
    rounds = 0
    while rounds < max_rounds:
        rounds += 1
        weight[:] = 0.0
        for i in range(n_rows):
            if origins[i] <= 0.0:
                continue
            total = 0.0
            for j in range(n_columns):
                total += deterrence[i, j] * column_factor[j]
            factor = origins[i] / total if total > 0.0 else 0.0
            row_factor[i] = factor
            for j in range(n_columns):
                weight[j] += factor * deterrence[i, j]
        error = 0.0
        for j in range(n_columns):
            if destinations[j] <= 0.0:
                column_factor[j] = 0.0
            elif weight[j] > 0.0:
                error = max(error, abs(weight[j] * column_factor[j] / destinations[j] - 1.0))
                column_factor[j] = destinations[j] / weight[j]
            else:
                error = np.inf
        if error <= tolerance:
            break
    return row_factor, column_factor, rounds, error


@njit
def fill_table(deterrence, row_factor, column_factor):
    """The table ``row_factor[i] * deterrence[i, j] * column_factor[j]``, float64 (n, m)."""
    n_rows, n_columns = deterrence.shape
    table = np.empty((n_rows, n_columns))
    for i in range(n_rows):
        for j in range(n_columns):
            table[i, j] = row_factor[i] * deterrence[i, j] * column_factor[j]
    return table
