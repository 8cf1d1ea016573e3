// cv::Mat on our pools.
#pragma once

namespace imgmill {

/// Makes every cv::Mat take its pixels from CurrentPool(); a refusal is OutOfMemory, a std::bad_alloc.
void SetMatAllocator();

}  // namespace imgmill
