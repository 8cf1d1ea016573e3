// Scenes of things: on the table, on the wall, on paper.
#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "scenes.h"

namespace sample {

cv::Mat Citrus(Random random) {
  cv::Mat canvas = Gradient(900, 660, 0x2b6e6b, 0x184746);
  const double place[][3] = {
      {230, 220, 150}, {560, 170, 115}, {720, 440, 165}, {400, 470, 130}, {110, 530, 90}};
  const uint32_t flesh[][3] = {{0xf28c28, 0xfde3b4, 0xf9a94b},
                               {0xc5d94a, 0xf3f6d0, 0xd6e56f},
                               {0xe8603c, 0xfbd9c6, 0xf0815f},
                               {0xf7d038, 0xfdf4c4, 0xf9dd6b},
                               {0x8fbf3f, 0xeef5d2, 0xabd35f}};
  for (int fruit = 0; fruit < 5; ++fruit) {
    const double x = place[fruit][0], y = place[fruit][1], r = place[fruit][2];
    Glow(canvas, x + 16, y + 22, r * 1.25, 0x0c2b2b, 0.9);
    Disc(canvas, x, y, r, flesh[fruit][0]);
    Disc(canvas, x, y, r * 0.93, flesh[fruit][1]);
    for (int wedge = 0; wedge < 9; ++wedge) {
      const double from = wedge * 2 * CV_PI / 9 + 0.07 + fruit, to = from + 2 * CV_PI / 9 - 0.14;
      std::vector<cv::Point2d> corners{
          {x + r * 0.1 * std::cos((from + to) / 2), y + r * 0.1 * std::sin((from + to) / 2)}};
      for (int step = 0; step <= 8; ++step) {
        const double angle = from + (to - from) * step / 8;
        corners.emplace_back(x + r * 0.85 * std::cos(angle), y + r * 0.85 * std::sin(angle));
      }
      Shape(canvas, corners, flesh[fruit][2]);
    }
  }
  Grain(canvas, random, 4);
  return canvas;
}

cv::Mat Poster(Random random) {
  cv::Mat canvas(720, 880, CV_8UC3, Colour(0xc9c2b8));
  for (int row = 0; row < 18; ++row) {
    for (int column = -1; column < 11; ++column) {
      const double x = column * 88 + (row % 2) * 44, tone = random.Between(-22, 22);
      const uint32_t red = static_cast<uint32_t>(165 + tone), green = static_cast<uint32_t>(82 + tone * 0.7),
                     blue = static_cast<uint32_t>(62 + tone * 0.5);
      Box(canvas, x + 3, row * 40 + 3, 82, 34, red << 16 | green << 8 | blue);
    }
  }
  Tint(canvas, 0x3a2018, 0.35 * Noise(random, 880, 720, 60, 5));
  Box(canvas, 236, 96, 428, 548, 0x4c3a2c);
  Box(canvas, 226, 84, 428, 548, 0xf5ecd7);
  Box(canvas, 246, 104, 388, 508, 0x1f3b57);
  Disc(canvas, 440, 330, 90, 0xf2b33d);
  for (int ray = 0; ray < 24; ++ray) {
    const double angle = ray * CV_PI / 12;
    Stroke(canvas, {440 + 102 * std::cos(angle), 330 + 102 * std::sin(angle)},
           {440 + 128 * std::cos(angle), 330 + 128 * std::sin(angle)}, 0xf2b33d, 5);
  }
  Text(canvas, "SUMMER", 290, 180, 2.2, 0xf5ecd7, 4);
  Text(canvas, "FAIR", 342, 524, 2.6, 0xf5ecd7, 5);
  Text(canvas, "12 - 14 July, Mill Lane", 270, 580, 0.85, 0xf2b33d, 2);
  Grain(canvas, random, 3);
  return canvas;
}

cv::Mat Tartan(Random random) {
  cv::Mat canvas(640, 640, CV_8UC3, Colour(0x7a1e28));
  const double stripes[][3] = {{40, 70, 0x173f2a},   {130, 14, 0xe8c34a}, {170, 90, 0x182a4d},
                               {290, 8, 0xf0ece0},   {330, 60, 0x173f2a}, {430, 16, 0xe8c34a},
                               {480, 100, 0x182a4d}, {600, 10, 0xf0ece0}};
  cv::Mat across = canvas.clone();
  for (const auto& stripe : stripes) {
    Box(canvas, stripe[0], -1, stripe[1], 642, static_cast<uint32_t>(stripe[2]));
    Box(across, -1, stripe[0] * 0.8 + 30, 642, stripe[1] * 0.8, static_cast<uint32_t>(stripe[2]));
  }
  // Twill: warp and weft change places along diagonals.
  for (int y = 0; y < 640; ++y) {
    for (int x = 0; x < 640; ++x) {
      if ((x + y) / 4 % 2 == 0) canvas.at<cv::Vec3b>(y, x) = across.at<cv::Vec3b>(y, x);
    }
  }
  Tint(canvas, 0x000000, 0.5 * Noise(random, 640, 640, 300, 3));
  Grain(canvas, random, 5);
  return canvas;
}

cv::Mat Bookshelf(Random random) {
  cv::Mat canvas(680, 900, CV_8UC3, Colour(0x3d2a1d));
  const uint32_t cloth[] = {0x8a2d2d, 0x2d4f7a, 0x3f6b45, 0xc79a3b, 0x6b3f72, 0xd8cdb8, 0x2f3136, 0xb0562f};
  const char* titles[] = {"ATLAS", "BIRDS", "LETTERS", "TIDES", "POEMS", "MAPS", "BREAD", "RIVERS"};
  for (int shelf = 0; shelf < 2; ++shelf) {
    const double board = 310 + shelf * 330;
    for (double x = 20; x < 850;) {
      const double width = random.Between(30, 62), height = random.Between(190, 270);
      const int book = random.Pick(8);
      Box(canvas, x, board - height, width - 3, height, cloth[book]);
      Box(canvas, x, board - height + 22, width - 3, 6, 0xe9d8a6);
      Box(canvas, x, board - 40, width - 3, 6, 0xe9d8a6);
      cv::Mat label(static_cast<int>(width) - 8, 150, CV_8UC3, Colour(cloth[book]));
      Text(label, titles[random.Pick(8)], 6, width / 2 + 3, 0.8, book == 5 ? 0x222222 : 0xf3ead2, 2);
      cv::rotate(label, label, cv::ROTATE_90_CLOCKWISE);
      label.copyTo(canvas(cv::Rect(static_cast<int>(x) + 3, static_cast<int>(board - height) + 32, label.cols,
                                   std::min(label.rows, 150))));
      x += width;
    }
    Box(canvas, 0, board, 900, 22, 0x7a573a);
    Box(canvas, 0, board + 22, 900, 8, 0x24170f);
  }
  Glow(canvas, 450, 60, 640, 0xffe2ab, 0.3);
  Grain(canvas, random, 3);
  return canvas;
}

cv::Mat ContourMap(Random random) {
  const cv::Mat height = Noise(random, 840, 640, 260, 4);
  cv::Mat canvas(height.size(), CV_8UC3);
  const uint32_t steps[] = {0x8fbcd4, 0xb5d6a7, 0xcfe0a8, 0xe8e2a5, 0xe3c98a, 0xcfa36f, 0xb88361, 0xf4efe9};
  for (int y = 0; y < height.rows; ++y) {
    for (int x = 0; x < height.cols; ++x) {
      const int step = std::clamp(static_cast<int>((height.at<float>(y, x) - 0.2) * 11), 0, 7);
      const double line = std::fmod(height.at<float>(y, x) * 33, 1.0);
      const cv::Scalar colour = Colour(step > 0 && line < 0.12 ? 0x8a6a4a : steps[step]);
      canvas.at<cv::Vec3b>(y, x) =
          cv::Vec3b(cv::saturate_cast<uchar>(colour[0]), cv::saturate_cast<uchar>(colour[1]),
                    cv::saturate_cast<uchar>(colour[2]));
    }
  }
  for (int grid = 105; grid < 840; grid += 105)
    Stroke(canvas, {grid + 0.0, 0}, {grid + 0.0, 640}, 0x9aa4ad, 1);
  for (int grid = 107; grid < 640; grid += 107)
    Stroke(canvas, {0, grid + 0.0}, {840, grid + 0.0}, 0x9aa4ad, 1);
  Text(canvas, "Long Fell", 500, 190, 1.0, 0x2b2b2b, 2);
  Text(canvas, "Mirror Tarn", 120, 470, 0.9, 0x1f4e79, 2);
  Text(canvas, "614", 330, 260, 0.7, 0x5a3a20, 2);
  return canvas;
}

cv::Mat Newspaper(Random random) {
  cv::Mat canvas(880, 640, CV_8UC3, Colour(0xf1ece0));
  Tint(canvas, 0xd8cfbd, 0.6 * Noise(random, 640, 880, 160, 5));
  Text(canvas, "The Daily Mill", 78, 84, 2.0, 0x1a1a1a, 4);
  Stroke(canvas, {30, 108}, {610, 108}, 0x1a1a1a, 3);
  Stroke(canvas, {30, 138}, {610, 138}, 0x1a1a1a, 1);
  Text(canvas, "No. 1408      Saturday      Price: one picture", 60, 130, 0.65, 0x2a2a2a, 1);
  Text(canvas, "River froze, mill went on", 44, 196, 1.35, 0x151515, 3);
  Box(canvas, 330, 226, 280, 210, 0x8c8c8c);
  Shape(canvas, {{330, 436}, {330, 360}, {420, 290}, {480, 350}, {540, 300}, {610, 380}, {610, 436}},
        0x3c3c3c);
  Disc(canvas, 556, 266, 22, 0xe0e0e0);
  for (int column = 0; column < 2; ++column) {
    for (double y = column == 0 ? 236 : 462; y < 860; y += 17) {
      for (double x = 32 + column * 300; x < 296 + column * 300;) {
        const double word = random.Between(14, 52);
        Box(canvas, x, y, std::min(word, 306 + column * 300 - x), 8, 0x3a3a3a);
        x += word + 8;
      }
    }
  }
  cv::cvtColor(canvas, canvas, cv::COLOR_BGR2GRAY);
  cv::cvtColor(canvas, canvas, cv::COLOR_GRAY2BGR);
  return canvas;
}

cv::Mat Clock(Random random) {
  cv::Mat canvas = Gradient(720, 720, 0xd9b38c, 0xb98a62);
  Tint(canvas, 0x8f5f3c, 0.8 * Noise(random, 720, 720, 120, 2));
  Glow(canvas, 372, 382, 400, 0x3a2414, 0.8);
  Disc(canvas, 360, 360, 290, 0x2d3e50);
  Disc(canvas, 360, 360, 262, 0xfbf7ec);
  for (int minute = 0; minute < 60; ++minute) {
    const double angle = minute * CV_PI / 30, inner = minute % 5 == 0 ? 222 : 240;
    Stroke(canvas, {360 + inner * std::cos(angle), 360 + inner * std::sin(angle)},
           {360 + 252 * std::cos(angle), 360 + 252 * std::sin(angle)}, 0x22303d, minute % 5 == 0 ? 8 : 2);
  }
  for (int hour = 1; hour <= 12; ++hour) {
    const double angle = (hour - 3) * CV_PI / 6;
    Text(canvas, std::to_string(hour), 360 + 188 * std::cos(angle) - (hour > 9 ? 28 : 15),
         360 + 188 * std::sin(angle) + 17, 1.5, 0x22303d, 3);
  }
  Stroke(canvas, {360, 360}, {270, 250}, 0x22303d, 16);
  Stroke(canvas, {360, 360}, {470, 190}, 0x22303d, 9);
  Stroke(canvas, {330, 420}, {430, 200}, 0xc0392b, 4);
  Disc(canvas, 360, 360, 16, 0xc0392b);
  Grain(canvas, random, 3);
  return canvas;
}

cv::Mat TiledFloor(Random random) {
  cv::Mat canvas = Gradient(880, 600, 0xe6dccb, 0xb7a98f);
  // A floor seen from standing height: rows get narrower towards the horizon at y = 220.
  for (int row = 0; row < 14; ++row) {
    const double near = 220 + 2400.0 / (row + 5), far = 220 + 2400.0 / (row + 6);
    for (int column = -24; column < 24; ++column) {
      const double near_step = (near - 220) * 0.42, far_step = (far - 220) * 0.42;
      const uint32_t colour = (row + column) % 2 == 0 ? 0x2e3a44 : 0xefe9dc;
      Shape(canvas,
            {{330 + column * near_step, near},
             {330 + (column + 1) * near_step, near},
             {330 + (column + 1) * far_step, far},
             {330 + column * far_step, far}},
            colour);
    }
  }
  for (int arch = 0; arch < 3; ++arch) {
    Box(canvas, 90 + 270 * arch, 90, 150, 250, 0x7fa7bd);
    Disc(canvas, 165 + 270 * arch, 92, 75, 0x7fa7bd);
    Box(canvas, 155 + 270 * arch, 20, 12, 316, 0xd8cbb4);
  }
  Glow(canvas, 640, 420, 330, 0xfff2cf, 0.4);
  Grain(canvas, random, 4);
  return canvas;
}

cv::Mat Marble(Random random) {
  const cv::Mat swirl = Noise(random, 720, 520, 240, 6), detail = Noise(random, 720, 520, 60, 4);
  cv::Mat canvas(520, 720, CV_8UC3, Colour(0x20433f)), veins(520, 720, CV_32F);
  for (int y = 0; y < 520; ++y) {
    for (int x = 0; x < 720; ++x) {
      const double wave =
          std::sin(x * 0.012 + y * 0.02 + 12 * swirl.at<float>(y, x) + 2 * detail.at<float>(y, x));
      veins.at<float>(y, x) = static_cast<float>(std::pow(1 - std::abs(wave), 5));
    }
  }
  Tint(canvas, 0x5f9a8a, detail);
  Tint(canvas, 0xf3f0e4, veins);
  Grain(canvas, random, 2);
  return canvas;
}

cv::Mat StreetLights(Random random) {
  cv::Mat canvas = Gradient(800, 600, 0x1a1f3a, 0x4a2f4f);
  const uint32_t lamps[] = {0xffb347, 0xff6961, 0x77dd77, 0xfdfd96, 0x84b6f4, 0xfdcae1};
  for (int lamp = 0; lamp < 60; ++lamp) {
    const double x = random.Between(0, 800), y = 120 + random.Between(0, 1) * random.Between(0, 480);
    Glow(canvas, x, y, random.Between(25, 80), lamps[random.Pick(6)], 1.0);
  }
  for (int car = 0; car < 6; ++car) {
    Disc(canvas, 90 + 130 * car, 500, 22, 0xfff3c4);
    Disc(canvas, 140 + 130 * car, 500, 22, 0xfff3c4);
  }
  return canvas;
}

cv::Mat Smile() {
  cv::Mat canvas = Gradient(192, 192, 0x6a4c93, 0x1982c4);
  Disc(canvas, 96, 96, 80, 0xffca3a);
  Disc(canvas, 66, 76, 12, 0x2b2118);
  Disc(canvas, 126, 76, 12, 0x2b2118);
  cv::ellipse(canvas, {96, 100}, {44, 40}, 0, 15, 165, Colour(0x2b2118), 10, cv::LINE_AA);
  return canvas;
}

cv::Mat Badge(Random random) {
  cv::Mat colour = Gradient(560, 560, 0x2a9d8f, 0x264653);
  for (int ray = 0; ray < 16; ++ray) {
    const double from = ray * CV_PI / 8, to = from + CV_PI / 16;
    Shape(colour,
          {{280, 280},
           {280 + 400 * std::cos(from), 280 + 400 * std::sin(from)},
           {280 + 400 * std::cos(to), 280 + 400 * std::sin(to)}},
          0x3fb5a5);
  }
  std::vector<cv::Point2d> star;
  for (int corner = 0; corner < 10; ++corner) {
    const double radius = corner % 2 == 0 ? 190 : 80, angle = corner * CV_PI / 5 - CV_PI / 2;
    star.emplace_back(280 + radius * std::cos(angle), 272 + radius * std::sin(angle));
  }
  Shape(colour, star, 0xe9c46a);
  Text(colour, "imgmill", 206, 296, 1.2, 0x264653, 3);
  Grain(colour, random, 1);
  cv::Mat alpha(560, 560, CV_8UC1, cv::Scalar(0)), badge;
  cv::circle(alpha, {296, 300}, 236, cv::Scalar(90), cv::FILLED, cv::LINE_AA);
  cv::GaussianBlur(alpha, alpha, {0, 0}, 9);
  cv::circle(alpha, {280, 280}, 240, cv::Scalar(255), cv::FILLED, cv::LINE_AA);
  cv::merge(std::vector<cv::Mat>{colour, alpha}, badge);
  return badge;
}

cv::Mat Dawn(Random random) {
  cv::Mat canvas(400, 560, CV_16UC3);
  for (int y = 0; y < 400; ++y) {
    for (int x = 0; x < 560; ++x) {
      const double up = 1 - y / 399.0, sun = std::exp(-std::hypot(x - 180, (y - 330) * 1.3) / 90);
      canvas.at<cv::Vec3w>(y, x) = cv::Vec3w(cv::saturate_cast<ushort>(24000 + 26000 * up + 6000 * sun),
                                             cv::saturate_cast<ushort>(30000 - 8000 * up + 30000 * sun),
                                             cv::saturate_cast<ushort>(58000 - 38000 * up + 7000 * sun));
    }
  }
  const cv::Mat hills = Noise(random, 560, 1, 150, 4);
  for (int x = 0; x < 560; ++x) {
    for (int y = 330 - static_cast<int>(70 * hills.at<float>(0, x)); y < 400; ++y)
      canvas.at<cv::Vec3w>(y, x) = cv::Vec3w(9000, 6500, 7000);
  }
  return canvas;
}

}  // namespace sample
