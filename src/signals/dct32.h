// The 32-point cosine transform of the perceptual hash, rounded as scipy 1.17 rounds it.
#pragma once

#include <span>

namespace imgmill {

/// Type II DCT without normalisation, in place: y[k] = 2 * sum over n of x[n] * cos(pi * k * (2n + 1) / 64).
///
/// The hash compares coefficients with their median, and in images with symmetries or flat parts many are
/// equal but for rounding. So the operations come in the order in which scipy (pocketfft, after FFTPACK's
/// COSQB) does them: neighbours are added and subtracted, a real inverse FFT with the radices 2, 4 and 4,
/// then one rotation per pair. Source: P. N. Swarztrauber, "Vectorizing the FFTs", 1982; FFTPACK's
/// documentation.
void Dct32(std::span<double, 32> values);

}  // namespace imgmill
