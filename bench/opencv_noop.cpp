// The yardstick of bench/startup.sh: what it costs to start a program that is linked with OpenCV and does
// nothing.
#include <opencv2/core/utility.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

int main(int argc, char**) {
  // Never called, but one function of each library keeps the linker from leaving it out.
  if (argc > 1)
    return cv::useOptimized() && cv::haveImageWriter(".jpg") && !cv::getGaussianKernel(1, 1).empty();
  return 0;
}
