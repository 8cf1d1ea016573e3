// The allocator behind cv::Mat::setDefaultAllocator: pixels from CurrentPool(), so that they are charged and
// can be refused.
#include "mat_allocator.h"

#include <opencv2/core/mat.hpp>

#include "imgmill/memory/pool.h"

namespace imgmill {
namespace {

class PoolMatAllocator final : public cv::MatAllocator {
 public:
  cv::UMatData* allocate(int dims, const int* sizes, int type, void* data, size_t* step,
                         cv::AccessFlag /*flags*/, cv::UMatUsageFlags /*usage*/) const override {
    // Steps come from the last dimension inwards, as OpenCV's own allocator lays arrays out: packed.
    size_t total = static_cast<size_t>(CV_ELEM_SIZE(type));
    for (int i = dims - 1; i >= 0; --i) {
      if (step != nullptr) {
        if (data != nullptr && step[i] != static_cast<size_t>(cv::Mat::AUTO_STEP)) {
          total = step[i];
        } else {
          step[i] = total;
        }
      }
      total *= static_cast<size_t>(sizes[i]);
    }
    void* pixels = data != nullptr ? data : CurrentPool().Allocate(total);
    auto* record = new (std::nothrow) cv::UMatData(this);
    if (record == nullptr) {
      if (data == nullptr) Pool::Free(pixels);
      throw std::bad_alloc();
    }
    record->data = record->origdata = static_cast<uchar*>(pixels);
    record->size = total;
    if (data != nullptr) record->flags |= cv::UMatData::USER_ALLOCATED;
    return record;
  }

  bool allocate(cv::UMatData* record, cv::AccessFlag /*flags*/, cv::UMatUsageFlags /*usage*/) const override {
    return record != nullptr;
  }

  void deallocate(cv::UMatData* record) const override {
    if (record == nullptr) return;
    if ((record->flags & cv::UMatData::USER_ALLOCATED) == 0) Pool::Free(record->origdata);
    delete record;
  }
};

}  // namespace

void SetMatAllocator() {
  static PoolMatAllocator* allocator = new PoolMatAllocator;  // outlives every static cv::Mat
  cv::Mat::setDefaultAllocator(allocator);
}

}  // namespace imgmill
