-- servers: mariadb11
CREATE TABLE vectors (id INT PRIMARY KEY, v VECTOR(3) NOT NULL, VECTOR INDEX (v) M=6 DISTANCE=cosine)
