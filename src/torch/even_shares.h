// LibTorch's elementwise functions give the same bits with any number of threads.
#pragma once

namespace imgmill {

/// To be called once, before LibTorch computes anything.
///
/// LibTorch divides the values of an elementwise function evenly among its threads, wherever that cuts them.
/// Each thread's share ends with a few values that fill no vector, and those are computed by the scalar
/// function, whose last bit may be another: which values get it depends on how many threads there are.
/// From then on shares end where vectors end, for all functions of which the two codes differ.
/// @return false where this LibTorch hides one of them: on one thread alone its bits are those of any number
bool ShareElementwiseWorkEvenly();

}  // namespace imgmill
